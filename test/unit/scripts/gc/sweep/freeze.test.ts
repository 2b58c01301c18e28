import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { ProgramError } from "../../../../../scripts/cli/errors.ts";
import type { SweepOptions } from "../../../../../scripts/gc/sweep/sweep.ts";
import { remark } from "../../../../../scripts/mark/remark.ts";
import { createEffects } from "../../../../../scripts/store-change/effects.ts";
import {
  age,
  markOptions,
  plansOf,
  rootWithDead,
  writeDeadImage,
} from "../../../../support/gc/dead-store.ts";
import { holdOf, recordingTerminal, sweepRoot } from "../../../../support/gc/sweep-root.ts";
import { timedTree } from "../../../../support/gc/timed-tree.ts";

const notHeld = () => Promise.reject(new ProgramError("E_FREEZE", "nginx does not hold writes"));

/** Collects with something that goes wrong; everything must be as it was, and writes must go on. */
async function expectUnchanged(given: Partial<SweepOptions>, refused: object) {
  const { root, store, quarantine } = await rootWithDead();
  const before = await timedTree(store.directory);
  const outcome = await sweepRoot(root, given);
  expect(outcome).toMatchObject({ run: null, refused, proof: null });
  expect(await timedTree(`${store.directory}/docker`)).toEqual(
    new Map(
      [...before]
        .filter(([path]) => path.startsWith("docker/"))
        .map(([path, entry]) => [path.slice(7), entry]),
    ),
  );
  expect(await readdir(quarantine)).toEqual([]);
  return outcome;
}

const freezeRefused = { reason: "freeze", text: expect.stringContaining("nginx does not hold writes") };

test("When writes cannot be held, nothing is moved", async () => {
  const hold = holdOf({ begin: notHeld });
  await expectUnchanged({ hold }, freezeRefused);
  expect(hold.calls).toEqual(["begin"]);
});

/** A hold whose begin fails so often, as a client sends something for long. */
function busyHold(times: number) {
  let begins = 0;
  return holdOf({
    begin: async () => {
      begins += 1;
      if (begins <= times) throw new ProgramError("E_FREEZE_BUSY", "1 manifest PUTs were still on their way");
    },
  });
}

test("When a client sends something for long, its end is waited for with nothing held, and then all goes", async () => {
  const { root } = await rootWithDead();
  const hold = busyHold(2);
  const terminal = recordingTerminal();
  const outcome = await sweepRoot(root, { hold, terminal });
  expect(outcome).toMatchObject({ refused: null, freezeTries: 3, freezeSeconds: 1.5 });
  expect(outcome.removed.get("private")?.blobs).toBe(7);
  expect(hold.calls.slice(0, 5)).toEqual(["begin", "whenClear", "begin", "whenClear", "begin"]);
  expect(terminal.written.err).toMatch(/^Try 1 of 5 to hold writes: 1 manifest PUTs .*\nTry 2 of 5/);
});

test("When that does not end within five tries, nothing is moved, and the report says how often it was tried", async () => {
  const hold = busyHold(5);
  const refused = {
    reason: "freeze",
    text: expect.stringMatching(/1 manifest PUTs .* Tried 5 times; run it/),
  };
  const outcome = await expectUnchanged({ hold }, refused);
  expect(outcome.freezeTries).toBe(5);
});

test("A signal ends the tries", async () => {
  const hold = busyHold(5);
  const { freezeTries } = await expectUnchanged(
    { hold, interruption: { signal: () => "SIGTERM" } },
    { reason: "freeze" },
  );
  expect(freezeTries).toBe(1);
});

test.each([1, 2])(
  "When writes are not held any more (check %d), everything is put back, and writes go on",
  async (at) => {
    let checks = 0;
    const hold = holdOf({
      verify: () => {
        checks += 1;
        return checks === at ? notHeld() : Promise.resolve();
      },
    });
    await expectUnchanged({ hold }, freezeRefused);
    expect(hold.calls.at(-1)).toBe("end");
  },
);

test.each(["ENOSPC", "EROFS", "EIO"])(
  "When a move fails with %s, everything is put back, and writes go on",
  async (code) => {
    let moves = 0;
    const effects = createEffects((effect) => {
      if (effect !== "move") return;
      moves += 1;
      if (moves === 5) throw Object.assign(new Error(`${code}: no`), { code });
    });
    const hold = holdOf();
    await expectUnchanged({ hold, effects }, { reason: "moving", text: expect.stringContaining(code) });
    expect(hold.calls.at(-1)).toBe("end");
  },
);

test("A fault of the program itself lets writes go on, too", async () => {
  const { root, paths } = await rootWithDead();
  let moves = 0;
  const effects = createEffects((effect) => {
    if (effect !== "move") return;
    moves += 1;
    if (moves === 5) throw new TypeError("a fault");
  });
  const hold = holdOf();
  await expect(sweepRoot(root, { hold, effects })).rejects.toThrow("a fault");
  expect(hold.calls.at(-1)).toBe("end");
  expect(paths.every((path) => existsSync(path))).toBe(true);
});

test("When the budget is over before anything is moved, that is said", async () => {
  const hold = holdOf({ left: () => ({ budgetMs: 100, hardStopMs: 1000 }) });
  await expectUnchanged({ hold }, { reason: "freeze", text: expect.stringContaining("let go on before") });
});

test("When the budget is over midway, the rest is left for the next run, and links went first", async () => {
  const { root, store } = await rootWithDead();
  for (let number = 0; number < 150; number += 1) await writeDeadImage(store, "many", `image ${number}`);
  await age(store.directory, 72);
  let asked = 0;
  const left = () => {
    asked += 1;
    return { budgetMs: asked > 1 ? 0 : 5000, hardStopMs: 20_000 };
  };

  const first = await sweepRoot(root, { hold: holdOf({ left }) });

  expect(first).toMatchObject({ refused: null, proof: { lost: [] } });
  const removed = first.removed.get("private");
  expect((removed?.revisionLinks ?? 0) + (removed?.layerLinks ?? 0)).toBe(256);
  expect(removed?.blobs).toBe(0);
  expect(first.left.get("private")).toBe(200 + 457);
  const second = await sweepRoot(root, { hold: holdOf() });
  expect(second.removed.get("private")).toMatchObject({ revisionLinks: expect.any(Number), blobs: 457 });
  expect((await sweepRoot(root)).run).toBeNull();
});

test("A signal ends the moving; what was moved is proven, and the rest is left", async () => {
  const { root, paths } = await rootWithDead();
  const outcome = await sweepRoot(root, { hold: holdOf(), interruption: { signal: () => "SIGTERM" } });
  expect(outcome).toMatchObject({ run: null, refused: null, interruptedBy: "SIGTERM" });
  expect(paths.every((path) => existsSync(path))).toBe(true);
});

test("While the second mark goes on for long, timers run: one renews the lease by which writes are held", async () => {
  const { root } = await rootWithDead();
  const [plan] = await plansOf(root);
  if (!plan) throw new Error("there is nothing to remove");
  const many = Array.from({ length: 1000 }, () => plan.dead).flat();
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 1);
  await remark(plan.source, plan.mark, many, markOptions);
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(5);
});
