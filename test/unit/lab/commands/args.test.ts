import { describe, expect, test } from "vitest";
import { parseLabArgs } from "../../../../lab/commands/args.ts";

describe("the lab's command line", () => {
  test.each([
    [[], { command: "up", instance: "lab", cache: false, cluster: true }],
    [["status"], { command: "status", instance: "lab", cache: false, cluster: true }],
    [["down", "--cache"], { command: "down", instance: "lab", cache: true, cluster: true }],
    [["up", "--instance", "bench"], { command: "up", instance: "bench", cache: false, cluster: true }],
    [["incident"], { command: "incident", instance: "lab", cache: false, cluster: true, speed: 120 }],
    [["tour"], { command: "tour", instance: "lab", cache: false, cluster: true, speed: 120 }],
    [
      ["incident", "--speed", "60"],
      { command: "incident", instance: "lab", cache: false, cluster: true, speed: 60 },
    ],
    [
      ["run", "monitoring/probe"],
      {
        command: "run",
        instance: "lab",
        cache: false,
        cluster: true,
        cronJob: { namespace: "monitoring", name: "probe" },
      },
    ],
    [["--no-cluster"], { command: "up", instance: "lab", cache: false, cluster: false }],
    [["down", "--help"], { command: "help", instance: "lab", cache: false, cluster: true }],
  ])("reads %j", (args, expected) => {
    expect(parseLabArgs(args, {})).toEqual(expected);
  });

  test("takes the instance from the environment, and the option before it", () => {
    expect(parseLabArgs([], { REGWARDEN_LAB: "e2e" }).instance).toBe("e2e");
    expect(parseLabArgs(["--instance", "test"], { REGWARDEN_LAB: "e2e" }).instance).toBe("test");
  });

  test.each([
    [["start"], /"start" is no command; the commands are up, status, tour, incident, run, down/],
    [["up", "down"], /"up down" is no command/],
    [["--force"], /--force/],
    [["--instance", "prod"], /"prod"; allowed: lab, e2e, test, bench/],
    [["run"], /NAMESPACE\/NAME/],
    [["run", "probe"], /NAMESPACE\/NAME of a CronJob, not "probe"/],
    [["up", "--speed", "2"], /--speed goes with incident and tour only/],
    [["incident", "--speed", "0"], /--speed takes a number/],
    [["up", "--cache"], /--cache goes with down only/],
    [["down", "--no-cluster"], /--no-cluster goes with up only/],
    [["--cluster"], /--cluster/],
  ])("refuses %j as a usage error", (args, message) => {
    expect(() => parseLabArgs(args, {})).toThrow(
      expect.objectContaining({ code: "E_USAGE", message: expect.stringMatching(message) }),
    );
  });
});
