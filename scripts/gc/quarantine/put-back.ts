import { resolve } from "node:path";
import type { Effects } from "../../store-change/effects.ts";
import type { RecordedRun } from "../../store-change/journal.ts";
import type { NotDone } from "../../store-change/move-files.ts";
import { storeOf } from "../../store-change/paths.ts";
import { closedOnError, closeRun, openRun } from "../../store-change/run-directory.ts";
import { createStoreWriter } from "../../store-change/store-writer.ts";
import { nextUndoDirectory } from "../../store-change/undo.ts";
import { contentsOf, isBlob, type Quarantined } from "./contents.ts";

/** Where things are put back, and how. */
export interface PutBackScope {
  /** The directory that the program was given. */
  readonly directory: string;
  /** Data directories of all stores below it. */
  readonly stores: readonly string[];
  readonly effects: Effects;
}

export interface PutBack {
  readonly done: readonly Quarantined[];
  /** What lies in its place in the store by now. */
  readonly left: readonly NotDone[];
}

/**
 * Puts things back into the stores, each with a journal beside that of its run: blobs first, so that no link leads to
 * nothing. The caller holds the locks of the stores.
 *
 * Errors: as of a run of store-change.
 */
export async function putBack(things: readonly Quarantined[], scope: PutBackScope): Promise<PutBack> {
  const byRun = new Map<RecordedRun, Quarantined[]>();
  for (const thing of things) {
    const own = byRun.get(thing.run);
    if (own) own.push(thing);
    else byRun.set(thing.run, [thing]);
  }
  const left: NotDone[] = [];
  for (const [run, own] of byRun) {
    const directory = resolve(scope.directory);
    const undo = await openRun({ ...scope, directory, workDirectory: await nextUndoDirectory(run) });
    const ordered = [...own.filter(isBlob), ...own.filter((one) => !isBlob(one))];
    const moves = ordered.map(({ path, at }) => ({ from: at, to: path }));
    const notMoved = await closedOnError(undo.journal, () => createStoreWriter(undo).move(moves));
    const stayed = new Map(notMoved.map((one) => [one.path, one.reason]));
    for (const { path, at } of own) {
      const reason = stayed.get(at);
      if (reason !== undefined) left.push({ path, reason });
    }
    await closeRun(undo);
  }
  const notDone = new Set(left.map(({ path }) => path));
  return { done: things.filter(({ path }) => !notDone.has(path)), left };
}

/**
 * Puts back all of the runs that were cut off: whether what they moved was needed meanwhile, none of them has checked to
 * its end. The caller holds the locks of the stores.
 *
 * Errors: as of {@link putBack}.
 */
export async function putBackCutOff(runs: readonly RecordedRun[], scope: PutBackScope): Promise<PutBack> {
  const cutOff = runs
    .filter(({ isFinished }) => !isFinished)
    .flatMap((run) => contentsOf(run, scope.directory));
  return putBack(
    cutOff.filter(({ path }) => storeOf(path, scope.stores) !== undefined),
    scope,
  );
}
