import { readdir } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { type ExitCode, exitCodes } from "../../../contract/exit-codes.ts";
import { type GcUndoReport, gcUndoReportSchema } from "../../../contract/gc-undo-report.ts";
import type { Terminal } from "../../cli/terminal.ts";
import { discoverRegistries } from "../../source/disk/registry.ts";
import type { Effects } from "../../store-change/effects.ts";
import { statOf, storeOf } from "../../store-change/paths.ts";
import { withStoreLocks } from "../../store-change/store-lock.ts";
import { contentsOf, type Quarantined } from "../quarantine/contents.ts";
import { putBack } from "../quarantine/put-back.ts";
import { findRun, nameOfRun } from "../quarantine/runs.ts";
import { totalOf } from "../quarantine/totals.ts";
import { renderUndo } from "./table.ts";

export interface UndoOptions {
  readonly directory: string;
  /** Name of a run, or the path of its directory. */
  readonly undo: string;
  readonly apply: boolean;
  readonly json: boolean;
}

type Left = GcUndoReport["left"];

/**
 * Puts what a collection moved out of the stores back to where it lay, or says what that would be. What was pushed since
 * stays as it is.
 *
 * Errors: E_CONFIGURATION for an unknown run; E_STORE_LOCKED; E_STORE_UNWRITABLE.
 */
export async function runGcUndo(
  { directory, undo, apply, json }: UndoOptions,
  terminal: Terminal,
  effects: Effects,
): Promise<ExitCode> {
  const startedAt = performance.now();
  const { sources } = await discoverRegistries(directory);
  const stores = sources.map(({ dataDirectory }) => dataDirectory);
  const run = await findRun(directory, undo);
  const contents = () => contentsOf(run, directory);
  const touched = new Set(contents().flatMap(({ path }) => storeOf(path, stores) ?? []));
  const work = async () => {
    // Read again: what another process put back meanwhile is no longer there.
    const { free, left } = await divide(contents());
    if (!apply || free.length === 0) return { putBack: totalOf(free), left, isDone: false };
    const back = await putBack(free, { directory, stores, effects });
    // They lie in the store again.
    const total = totalOf(back.done.map(({ path }) => ({ path, at: path })));
    return { putBack: total, left: [...left, ...back.left], isDone: true };
  };
  const done = await withStoreLocks(apply ? [...touched] : [], work);
  const report: GcUndoReport = {
    schema: gcUndoReportSchema,
    run: nameOfRun(run),
    applied: done.isDone,
    finishedAt: new Date().toISOString(),
    durationSeconds: Math.round(performance.now() - startedAt) / 1000,
    putBack: done.putBack,
    left: done.left.map(({ path, reason }) => ({ path: relative(resolve(directory), path), reason })),
  };
  terminal.out(json ? `${JSON.stringify(report, null, 2)}\n` : renderUndo(report, directory));
  const { revisionLinks, layerLinks, blobs } = report.putBack;
  const isLeftToDo = !report.applied && revisionLinks + layerLinks + blobs > 0;
  return isLeftToDo ? exitCodes.findings : exitCodes.clean;
}

/** What can be put back, and what the store has again. */
async function divide(contents: readonly Quarantined[]): Promise<{
  readonly free: readonly Quarantined[];
  readonly left: Left;
}> {
  const free: Quarantined[] = [];
  const left: { path: string; reason: string }[] = [];
  for (const thing of contents)
    if (await isFree(thing.path)) free.push(thing);
    else left.push({ path: thing.path, reason: "was pushed since" });
  return { free, left };
}

/** An empty directory gives way. */
async function isFree(path: string): Promise<boolean> {
  const found = await statOf(path);
  return found === undefined || (found.isDirectory() && (await readdir(path)).length === 0);
}
