import { cp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { blobDirectory, linkDirectory, revisionsPath } from "../../scripts/registry/paths.ts";
import { isKilledAt } from "../support/kills.ts";
import { temporaryDirectory } from "../support/program.ts";
import { writeHealthyStore } from "../support/store/sample-stores.ts";
import { storeAt } from "../support/store/store.ts";
import { moveOut, startRun, undoRun, undosOf } from "../support/store/store-change.ts";
import { treeOf } from "../support/store/tree.ts";

const program = join(import.meta.dirname, "killed-store-change.ts");

const storeTree = (root: string) => treeOf(join(root, "private", "docker"));

/** A data root, and what of its store is moved: a manifest's link directory, a blob directory and the link of a layer. */
async function sampleRoot() {
  const pristine = join(await temporaryDirectory(), "root");
  const { manifest, layer, config } = await writeHealthyStore(join(pristine, "private"));
  const root = join(await temporaryDirectory(), "root");
  const store = storeAt(join(root, "private"));
  const paths = [
    linkDirectory(revisionsPath(store.directory, "app"), manifest),
    blobDirectory(store.directory, layer),
    dirname(store.layerLink("app", layer)),
    store.layerLink("app", config),
  ];
  const copy = (from: string) => async () => {
    await rm(root, { recursive: true, force: true });
    await cp(from, root, { recursive: true, preserveTimestamps: true });
  };
  return { pristine, root, paths, copy };
}

/** Kills a program at one effect after the other, each time on a fresh copy; how often it was killed. */
async function killEverywhere(
  copy: () => Promise<void>,
  argv: readonly string[],
  check: () => Promise<void>,
): Promise<number> {
  let effect = 1;
  for (await copy(); await isKilledAt(effect, program, ...argv); await copy()) {
    await check();
    effect += 1;
  }
  return effect - 1;
}

test("Moves that are killed anywhere can be ended by the next run, and undone", async () => {
  const { pristine, root, paths, copy } = await sampleRoot();
  const before = await storeTree(pristine);
  await copy(pristine)();
  await moveOut(await startRun(root, "first"), paths);
  const after = await storeTree(root);
  const runs = ["second", "first"].map((name) => join(root, ".regwarden", name));

  const kills = await killEverywhere(copy(pristine), ["move", root, "first", ...paths], async () => {
    expect(await moveOut(await startRun(root, "second"), paths)).toEqual([]);
    expect(await storeTree(root)).toEqual(after);
    // A run that was killed before its journal was there has nothing to undo.
    for (const run of runs) await undoRun(root, run).catch(ignoreMissingJournal);
    expect(await storeTree(root)).toEqual(before);
  });

  expect(kills).toBeGreaterThan(15);
}, 300_000);

test("An undo of moves that is killed anywhere can be ended by the next", async () => {
  const { pristine, root, paths, copy } = await sampleRoot();
  const before = await storeTree(pristine);
  const moved = join(await temporaryDirectory(), "root");
  await copy(pristine)();
  await moveOut(await startRun(root, "run"), paths);
  await cp(root, moved, { recursive: true, preserveTimestamps: true });
  const run = join(root, ".regwarden", "run");

  const kills = await killEverywhere(copy(moved), ["undo", root, run], async () => {
    expect((await undoRun(root, run)).left).toEqual([]);
    expect(await storeTree(root)).toEqual(before);
  });

  expect(kills).toBeGreaterThan(15);
}, 300_000);

test("A redo that is killed anywhere can be ended by the next, and the run can be undone once more", async () => {
  const { pristine, root, paths, copy } = await sampleRoot();
  const before = await storeTree(pristine);
  const undone = join(await temporaryDirectory(), "root");
  await copy(pristine)();
  await moveOut(await startRun(root, "run"), paths);
  const after = await storeTree(root);
  const run = join(root, ".regwarden", "run");
  await undoRun(root, run);
  await cp(root, undone, { recursive: true, preserveTimestamps: true });
  const [undo = ""] = await undosOf(run);

  const kills = await killEverywhere(copy(undone), ["undo", root, undo], async () => {
    expect((await undoRun(root, undo)).left).toEqual([]);
    expect(await storeTree(root)).toEqual(after);
    expect((await undoRun(root, run)).left).toEqual([]);
    expect(await storeTree(root)).toEqual(before);
  });

  expect(kills).toBeGreaterThan(15);
}, 300_000);

function ignoreMissingJournal(error: unknown): void {
  if (!(error instanceof Error && error.message.startsWith("Cannot read the journal"))) throw error;
}
