import { describe, expect, test } from "vitest";
import { parseEngineArgs, reportTargets, UsageError } from "../../../engine/args.ts";

describe("the arguments", () => {
  test("name an operation, a stack and whether to ask", () => {
    expect(parseEngineArgs(["up", "--stack", "prod", "--yes"])).toEqual({
      operation: "up",
      stack: "prod",
      yes: true,
      comment: false,
      lockWaitMilliseconds: 600_000,
      unmanaged: false,
    });
    expect(parseEngineArgs(["drift", "--unmanaged"])).toMatchObject({ operation: "drift", unmanaged: true });
    expect(parseEngineArgs(["-h"])).toBe("help");
  });

  test.each([
    [[]],
    [["upp"]],
    [["up", "down"]],
    [["up", "--force"]],
    [["up", "--markdown", "x"]],
    [["up", "--comment"]],
    [["preview", "--pushgateway", "http://x"]],
    [["up", "--notify", "http://x"]],
    [["up", "--unmanaged"]],
    [["drift", "--only", "host"]],
    [["up", "--only", "vm"]],
    [["preview", "--lock-wait", "1m"]],
    [["up", "--lock-wait", "10"]],
    [["up", "--lock-wait", "-1m"]],
  ])("refuse %j", (argv) => {
    expect(() => parseEngineArgs(argv)).toThrow(UsageError);
  });

  test.each([
    ["0s", 0],
    ["90s", 90_000],
    ["1h", 3_600_000],
  ])("take %s to wait for a lock", (text, lockWaitMilliseconds) => {
    expect(parseEngineArgs(["destroy", "--lock-wait", text])).toMatchObject({ lockWaitMilliseconds });
  });

  test("name the part of the stack that is meant", () => {
    expect(parseEngineArgs(["up", "--only", "cluster"])).toMatchObject({ only: "cluster" });
  });

  test("say where a drift run reports to, else the environment does", () => {
    const environment = { PUSHGATEWAY: "http://of-environment:9091", SLACK_WEBHOOK: "" };
    const targets = (...argv: string[]) => {
      const args = parseEngineArgs(["drift", ...argv]);
      if (args === "help") return [];
      const { pushgateway, notify } = reportTargets(args, environment);
      return [pushgateway?.href, notify?.href];
    };
    expect(targets()).toEqual(["http://of-environment:9091/", undefined]);
    expect(targets("--pushgateway", "http://given:1", "--notify", "https://hook/a")).toEqual([
      "http://given:1/",
      "https://hook/a",
    ]);
  });

  test("refuse a webhook that is none without showing it", () => {
    const given = { pushgateway: undefined, notify: undefined };
    expect(() => reportTargets(given, { SLACK_WEBHOOK: "hooks.example.com/s3cret" })).toThrow(
      /^The webhook is no http:\/\/ or https:\/\/ URL\.$/,
    );
  });
});
