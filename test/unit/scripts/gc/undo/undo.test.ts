import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { GcUndoReport } from "../../../../../contract/gc-undo-report.ts";
import { runGcUndo } from "../../../../../scripts/gc/undo/run-undo.ts";
import { createEffects } from "../../../../../scripts/store-change/effects.ts";
import { rootWithDead, writeDeadImage } from "../../../../support/gc/dead-store.ts";
import { recordingTerminal, sweepRoot } from "../../../../support/gc/sweep-root.ts";
import { timedTree } from "../../../../support/gc/timed-tree.ts";

async function undo(root: string, run: string, { apply = true }: { apply?: boolean } = {}) {
  const terminal = recordingTerminal();
  const options = { directory: root, undo: run, apply, json: true };
  const exitCode = await runGcUndo(options, terminal, createEffects());
  return { exitCode, report: JSON.parse(terminal.written.out) as GcUndoReport };
}

/** A root, a collection of what is dead in it, and what was there before. */
async function sweptRoot() {
  const made = await rootWithDead();
  const tree = () => timedTree(join(made.root, "private", "docker"));
  const before = await tree();
  const { run } = await sweepRoot(made.root);
  return { ...made, tree, before, run: run ?? "" };
}

const everything = { revisionLinks: 2, layerLinks: 4, blobs: 7, bytes: expect.any(Number) };

test("An undo puts everything back, byte for byte, with names, times, owners and rights", async () => {
  const { root, run, tree, before } = await sweptRoot();
  expect(await tree()).not.toEqual(before);

  const { exitCode, report } = await undo(root, run);

  expect(exitCode).toBe(0);
  expect(report).toMatchObject({ run, applied: true, putBack: everything, left: [] });
  expect(await tree()).toEqual(before);
  expect(await undo(root, run)).toMatchObject({ exitCode: 0, report: { applied: false, left: [] } });
});

test("An undo without --apply says what it would put back, and changes nothing", async () => {
  const { root, run, tree } = await sweptRoot();
  const after = await tree();

  const { exitCode, report } = await undo(root, run, { apply: false });

  expect(exitCode).toBe(1);
  expect(report).toMatchObject({ applied: false, putBack: everything });
  expect(await tree()).toEqual(after);
});

test("What was pushed since stays, and its former copy stays in the quarantine", async () => {
  const { root, store, run, dead, tree } = await sweptRoot();
  await writeDeadImage(store, "app", "dead");
  const pushed = await tree();

  const { exitCode, report } = await undo(root, run);

  expect(exitCode).toBe(0);
  expect(report.putBack).toMatchObject({ revisionLinks: 1, layerLinks: 2, blobs: 4 });
  expect(report.left).toHaveLength(6);
  expect(report.left.map(({ reason }) => reason)).toEqual(Array(6).fill("was pushed since"));
  const now = await tree();
  for (const [path, entry] of pushed)
    if (path.includes(dead.layer.slice(7))) expect(now.get(path)).toBe(entry);
});

test("A run can be given by its path, and one that is unknown is refused with the names of all", async () => {
  const { root, run, tree, before } = await sweptRoot();

  await expect(undo(root, "20200101T000000.000Z")).rejects.toThrow(`Runs: ${run}`);
  await expect(undo(root, "/elsewhere/run")).rejects.toThrow("There is no run /elsewhere/run");
  expect((await undo(root, join(root, ".regwarden", "quarantine", run))).exitCode).toBe(0);
  expect(await tree()).toEqual(before);
});

test("A repository that was removed since is made again for what is put back", async () => {
  const { root, store, run, tree, before } = await sweptRoot();
  await rm(join(store.directory, "docker/registry/v2/repositories/team"), { recursive: true });

  expect((await undo(root, run)).exitCode).toBe(0);

  const now = await tree();
  const ofTool = (path: string) => path.includes("/tool/");
  for (const [path, entry] of before) if (!ofTool(path)) expect(now.get(path)).toBe(entry);
  expect([...now.keys()].filter(ofTool)).not.toEqual([]);
});
