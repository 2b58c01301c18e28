import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createEffects, type Effects } from "../../../scripts/store-change/effects.ts";
import { readRun } from "../../../scripts/store-change/journal.ts";
import type { NotDone } from "../../../scripts/store-change/move-files.ts";
import { exists } from "../../../scripts/store-change/paths.ts";
import { closeRun, type OpenRun, openRun } from "../../../scripts/store-change/run-directory.ts";
import { createStoreWriter } from "../../../scripts/store-change/store-writer.ts";
import { applyUndo, nextUndoDirectory, type Undone } from "../../../scripts/store-change/undo.ts";
import { type FindNeeded, planUndo, type UndoStep } from "../../../scripts/store-change/undo-plan.ts";

/** What a program does that changes the stores of a data root, in a few words. */

export const nothingNeeded: FindNeeded = async () => new Map();

/** Opens a run in `.regwarden/NAME` of a data root whose only store is `private`. */
export function startRun(root: string, name: string, effects: Effects = createEffects()): Promise<OpenRun> {
  const stores = [join(root, "private")];
  return openRun({ directory: root, workDirectory: join(root, ".regwarden", name), stores, effects });
}

/** Moves what is there of some paths out of the store, as a collector does. */
export async function moveOut(run: OpenRun, paths: readonly string[]): Promise<readonly NotDone[]> {
  const writer = createStoreWriter(run);
  const there: string[] = [];
  for (const path of paths) if (await exists(path)) there.push(path);
  const notDone = await writer.move(there.map((path) => ({ from: path, to: writer.movedPath() })));
  await closeRun(run);
  return notDone;
}

/** Undoes the run whose journal lies in a directory. */
export async function undoRun(
  root: string,
  workDirectory: string,
  {
    effects = createEffects(),
    findNeeded = nothingNeeded,
  }: { effects?: Effects; findNeeded?: FindNeeded } = {},
): Promise<Undone & { readonly steps: readonly UndoStep[]; readonly workDirectory: string }> {
  const recorded = await readRun(workDirectory);
  const scope = { directory: root, stores: [join(root, "private")], findNeeded };
  const steps = await planUndo(recorded, scope);
  const own = await nextUndoDirectory(recorded);
  const run = await openRun({ ...scope, workDirectory: own, effects });
  const undone = await applyUndo(steps, run);
  await closeRun(run);
  return { ...undone, steps, workDirectory: own };
}

/** The directories of the undos of a run, the last one last. */
export async function undosOf(workDirectory: string): Promise<readonly string[]> {
  const names = (await readdir(workDirectory)).filter((name) => name.startsWith("undo-"));
  return names.sort().map((name) => join(workDirectory, name));
}
