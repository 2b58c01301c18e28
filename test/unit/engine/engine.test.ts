import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { parseEngineArgs, reportTargets } from "../../../engine/args.ts";
import { byResource, changeOf, changeTable, isConnectionChange } from "../../../engine/changes.ts";
import { stackEnvironment } from "../../../engine/environment.ts";
import { isProcessRunning, isStaleLock } from "../../../engine/stale-lock.ts";

describe("the arguments", () => {
  test("name an operation, a stack and whether to ask", () => {
    expect(parseEngineArgs(["up", "--stack", "prod", "--yes"])).toEqual({
      operation: "up",
      stack: "prod",
      yes: true,
    });
    expect(parseEngineArgs(["drift"])).toEqual({ operation: "drift", stack: undefined, yes: false });
    expect(parseEngineArgs(["-h"])).toBe("help");
  });

  test.each([
    [[]],
    [["upp"]],
    [["up", "down"]],
    [["up", "--force"]],
    [["up", "--markdown", "x"]],
    [["preview", "--pushgateway", "http://x"]],
    [["up", "--notify", "http://x"]],
  ])("refuse %j", (argv) => {
    expect(() => parseEngineArgs(argv)).toThrow(TypeError);
  });

  test("say whom a drift run tells, else the environment does", () => {
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

  test("refuse a webhook that is none without telling it", () => {
    const given = { pushgateway: undefined, notify: undefined };
    expect(() => reportTargets(given, { SLACK_WEBHOOK: "hooks.example.com/s3cret" })).toThrow(
      /^The webhook is no http:\/\/ or https:\/\/ URL\.$/,
    );
  });
});

describe("the stack", () => {
  const project = mkdtempSync(join(tmpdir(), "regwarden-engine-"));

  test("must be named where no lab runs", () => {
    expect(() => stackEnvironment(project, undefined, {})).toThrow(/Which stack\?/);
    expect(stackEnvironment(project, undefined, { PULUMI_STACK: "prod" }).stack).toBe("prod");
  });

  test("is the lab's where one runs, in the lab's environment; another one is not touched by that", () => {
    mkdirSync(join(project, ".lab/lab"), { recursive: true });
    writeFileSync(join(project, ".lab/lab/environment.json"), '{"PULUMI_BACKEND_URL":"file:///lab"}');
    expect(stackEnvironment(project, undefined, {})).toEqual({
      stack: "lab",
      variables: { PULUMI_BACKEND_URL: "file:///lab" },
    });
    expect(stackEnvironment(project, "prod", {})).toEqual({ stack: "prod", variables: {} });
  });
});

describe("a lock", () => {
  const message = (host: string, pid: number) =>
    `error: the stack is currently locked by 1 lock(s). Either wait ... \n  file:///x.json: created by root@${host} (pid ${pid}) at 2026-11-21T05:00:00Z`;
  const running = (pid: number) => pid === 1;

  test.each([
    ["of a process of this machine that is gone", message("here", 4), true],
    ["of a process that runs", message("here", 1), false],
    ["of another machine", message("there", 4), false],
    ["that nobody can make out", "the stack is currently locked", false],
  ])("%s", (_what, text, stale) => {
    expect(isStaleLock(text, "here", running)).toBe(stale);
  });

  test("is only looked for in a refusal because of a lock", () => {
    expect(isStaleLock("created by root@here (pid 4)", "here", running)).toBe(false);
  });

  test("is held by who runs, not by who has ended and whom nobody has collected", async () => {
    // The shell becomes a program that collects no child; its child ends when that has happened.
    const script = "(until grep -q sleep /proc/$$/comm; do :; done) & echo $!; exec sleep 60";
    const parent = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const [printed] = (await once(parent.stdout, "data")) as [Buffer];
      await vi.waitUntil(() => !isProcessRunning(Number(printed)), { timeout: 5000 });
      expect(() => process.kill(Number(printed), 0)).not.toThrow();
      expect(isProcessRunning(parent.pid ?? 0)).toBe(true);
    } finally {
      parent.kill();
    }
    expect(isProcessRunning(process.pid)).toBe(true);
  });
});

describe("changes", () => {
  const event = (op: string, type: string) => ({
    sequence: 1,
    timestamp: 1,
    resourcePreEvent: {
      metadata: {
        op,
        urn: `urn:pulumi:s::p::a:b:C$${type}::name`,
        type,
        detailedDiff: { content: {}, mode: {} },
      },
    },
  });
  const of = (op: string, type = "host:index:File") => changeOf(event(op, type) as never);

  test("are steps that change something, with what differs", () => {
    expect(of("update")).toEqual({
      operation: "update",
      type: "host:index:File",
      name: "name",
      properties: ["content", "mode"],
    });
    expect(of("same")).toBeUndefined();
    expect(of("refresh")).toBeUndefined();
  });

  test("are one a resource, also where a replacement takes three steps", () => {
    const steps = ["create-replacement", "replace", "delete-replaced"].map((operation) => of(operation));
    const other = { operation: "create", type: "host:index:File", name: "other", properties: [] };
    expect(byResource([...steps.filter((step) => step !== undefined), other])).toEqual([
      { operation: "replace", type: "host:index:File", name: "name", properties: ["content", "mode"] },
      other,
    ]);
  });

  test("read as a table", () => {
    const change = of("update");
    expect(changeTable(change ? [change] : [])).toBe("  update  File  name  content, mode");
  });

  test("of the way to the host are told apart", () => {
    const provider = of("update", "pulumi:providers:host");
    expect(provider && isConnectionChange(provider)).toBe(true);
  });
});
