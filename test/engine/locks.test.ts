import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { waitUntil } from "../../lab/machine/wait.ts";
import { type Going, SmallStack, smallStackNeeds } from "../support/small-stack.ts";

beforeAll(async () => {
  await smallStackNeeds();
});

let stack: SmallStack;
let going: Going[];
beforeEach(() => {
  stack = new SmallStack("prod");
  going = [];
});
afterEach(async () => {
  stack.openGate();
  await Promise.all(going.map(({ end }) => end));
});

function start(operation: string, ...args: string[]): Going {
  const run = stack.start(operation, args);
  going.push(run);
  return run;
}

/** An update that has come to the step that is held. */
async function heldUpdate(): Promise<Going> {
  const run = start("up", "--yes");
  await stack.isHeld();
  return run;
}

/** Ends a run with all its processes, at once. */
async function kill({ pid, end }: Going): Promise<void> {
  process.kill(-pid, "SIGKILL");
  await end;
}

async function upEnds(code: number, ...args: string[]): Promise<string> {
  stack.openGate();
  const { exitCode, output } = await stack.run("up", "--yes", ...args);
  expect(exitCode, output).toBe(code);
  return output;
}

async function isAsDeclared(): Promise<void> {
  const { exitCode, output } = await stack.run("drift");
  expect(exitCode, output).toBe(0);
  expect(output).not.toContain("pending operations");
  expect(stack.locks()).toEqual([]);
}

describe("two updates at once", () => {
  test("both end well: the second one waits, and names the holder", async () => {
    const first = await heldUpdate();
    const second = start("up", "--yes");
    await waitUntil("the wait", 60, async () => second.printed().includes("waits for"));
    expect(second.printed()).toMatch(
      new RegExp(
        `up of stack prod waits for the lock of \\S+@${hostname()} \\(process \\d+\\), for less than a minute, at most 10 more minutes`,
      ),
    );
    stack.openGate();
    expect((await first.end).exitCode).toBe(0);
    const { exitCode, output } = await second.end;
    expect(exitCode, output).toBe(0);
    await isAsDeclared();
  });

  test("that start at the same moment both end well", async () => {
    await upEnds(0);
    const runs = [start("up", "--yes"), start("up", "--yes"), start("up", "--yes")];
    for (const { exitCode, output } of await Promise.all(runs.map(({ end }) => end))) {
      expect(exitCode, output).toBe(0);
    }
    await isAsDeclared();
  });

  test("end with one refused where it shall not wait, with holder, age and what to type", async () => {
    const first = await heldUpdate();
    const { exitCode, output } = await stack.run("up", "--yes", "--lock-wait", "0s");
    expect(exitCode, output).toBe(1);
    expect(output).toMatch(/It is locked by \S+@\S+ \(process \d+\), for less than a minute\./);
    expect(output).toContain(`npx pulumi cancel --yes --stack prod`);
    stack.openGate();
    expect((await first.end).exitCode).toBe(0);
    await isAsDeclared();
  });
});

describe("an update that is killed", () => {
  test("here leaves a lock that the next one takes away, and only that", async () => {
    await kill(await heldUpdate());
    expect(stack.locks()).toHaveLength(1);
    const output = await upEnds(0, "--lock-wait", "0s");
    expect(output).toContain("An earlier run here was killed and left its lock");
    await isAsDeclared();
  });

  test.each([
    ["on another host", (lock: Lock) => ({ ...lock, hostname: "another-host" })],
    ["in another container with this host's name", (lock: Lock) => ({ ...lock, pid: lock.pid + 1 })],
  ])(
    "%s leaves a lock that nothing takes away but the command that the refusal names",
    async (_where, change) => {
      await kill(await heldUpdate());
      const [path = ""] = stack.locks();
      const file = join(stack.backend, path);
      writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, "utf8")))));
      const refused = await upEnds(1, "--lock-wait", "0s");
      expect(stack.locks()).toEqual([path]);
      const [, command = ""] = /^ {2}(.*pulumi cancel.*)$/m.exec(refused) ?? [];
      await stack.type(command);
      expect(stack.locks()).toEqual([]);
      await upEnds(0);
      await isAsDeclared();
    },
  );

  test("whose note came from another namespace of processes is not taken for one of here", async () => {
    await kill(await heldUpdate());
    const notes = join(stack.home, "regwarden-runs/prod");
    const [path = ""] = stack.locks();
    const { pid } = JSON.parse(readFileSync(join(stack.backend, path), "utf8")) as Lock;
    const note = readFileSync(join(notes, String(pid)), "utf8");
    writeFileSync(join(notes, String(pid)), note.replace(/pid:\[\d+\]/, "pid:[1]"));
    await upEnds(1, "--lock-wait", "0s");
    expect(stack.locks()).toEqual([path]);
    rmSync(join(stack.backend, path));
  });

  test("is not passed over by a destroy, which would leave what was just being made", async () => {
    await kill(await heldUpdate());
    const refused = await stack.run("destroy", "--yes");
    expect(refused.exitCode, refused.output).toBe(1);
    expect(refused.output).toContain("was killed while it made Step held");
    await upEnds(0);
    const destroyed = await stack.run("destroy", "--yes");
    expect(destroyed.exitCode, destroyed.output).toBe(0);
    expect(["first", "held", "last", "watch"].filter((name) => stack.hasStep(name))).toEqual([]);
  });
});

interface Lock {
  readonly pid: number;
  readonly hostname: string;
}

describe("an update that is cancelled", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "by %s finishes what it has begun, gives the lock back, and says how far it came",
    async (signal) => {
      const run = await heldUpdate();
      process.kill(run.pid, signal);
      await waitUntil("the CLI's answer", 60, async () => run.printed().includes("received; cancelling"));
      stack.openGate();
      const { exitCode, output } = await run.end;
      expect(exitCode, output).toBe(1);
      expect(output).toContain(`up of stack prod was cancelled (${signal}).`);
      expect(output).toMatch(/Applied: \d+ \(.*create Step held.*\)/);
      expect(stack.hasStep("last")).toBe(false);
      expect(stack.locks()).toEqual([]);
      await upEnds(0, "--lock-wait", "0s");
      await isAsDeclared();
    },
  );

  test("by a signal to npm, as a CI system sends it, ends as cleanly", async () => {
    const run = stack.startByNpm("up", ["--yes"]);
    going.push(run);
    await stack.isHeld();
    process.kill(run.pid, "SIGTERM");
    await waitUntil("the CLI's answer", 60, async () => run.printed().includes("received; cancelling"));
    stack.openGate();
    const { output } = await run.end;
    expect(output).toContain("up of stack prod was cancelled (SIGTERM).");
    expect(stack.locks()).toEqual([]);
  });

  test("together with the CLI, as a terminal does, gets one signal and not two", async () => {
    const run = await heldUpdate();
    process.kill(-run.pid, "SIGINT");
    await waitUntil("the CLI's answer", 60, async () => run.printed().includes("received; cancelling"));
    stack.openGate();
    const { exitCode, output } = await run.end;
    expect(exitCode, output).toBe(1);
    expect(output).not.toContain("received; terminating");
    await upEnds(0, "--lock-wait", "0s");
    await isAsDeclared();
  });

  test("by a reader that is gone ends as by a signal, and leaves no lock", async () => {
    const run = await heldUpdate();
    run.hangUp();
    stack.openGate();
    await run.end;
    expect(stack.locks()).toEqual([]);
    await upEnds(0, "--lock-wait", "0s");
    await isAsDeclared();
  });

  test("while it waits for a lock has changed nothing", async () => {
    const first = await heldUpdate();
    const second = start("up", "--yes");
    await waitUntil("the wait", 60, async () => second.printed().includes("waits for"));
    process.kill(second.pid, "SIGTERM");
    const { exitCode, output } = await second.end;
    expect(exitCode, output).toBe(1);
    expect(output).toContain("was cancelled (SIGTERM) before it began: nothing was changed");
    stack.openGate();
    expect((await first.end).exitCode).toBe(0);
    await isAsDeclared();
  });
});
