import { describe, expect, test } from "vitest";
import { parseEngineArgs, reportTargets, UsageError } from "../../../engine/args.ts";

describe("the arguments", () => {
  test("name an operation, a stack and whether to ask", () => {
    expect(parseEngineArgs(["up", "--stack", "prod", "--yes"])).toEqual({
      operation: "up",
      stack: "prod",
      yes: true,
      comment: false,
    });
    expect(parseEngineArgs(["drift"])).toEqual({
      operation: "drift",
      stack: undefined,
      yes: false,
      comment: false,
    });
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
  ])("refuse %j", (argv) => {
    expect(() => parseEngineArgs(argv)).toThrow(UsageError);
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
