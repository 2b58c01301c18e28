import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ProgramError } from "../cli/errors.ts";
import { journalFile, type RecordedRun, readRun } from "./journal.ts";
import type { Move, NotDone } from "./move-files.ts";
import { exists, isUnchanged, statOf, storeOf } from "./paths.ts";
import type { OpenRun } from "./run-directory.ts";
import { createStoreWriter, type StoreWriter } from "./store-writer.ts";
import { planUndo, type UndoScope, type UndoStep } from "./undo-plan.ts";

/** What an undo came to. */
export interface Undone {
  /** Paths of what was done. */
  readonly done: readonly string[];
  /** What changed since the plan, and was left as it is. */
  readonly left: readonly NotDone[];
}

/**
 * Does the steps of an undo, in their order, as a run of its own that can be undone in its turn.
 *
 * Errors: those of the file system.
 */
export async function applyUndo(steps: readonly UndoStep[], run: OpenRun): Promise<Undone> {
  const writer = createStoreWriter(run);
  const done: string[] = [];
  const left: NotDone[] = [];
  for (const group of groupMoves(steps, writer)) {
    if ("moves" in group) {
      const refused = new Map((await writer.move(group.moves)).map((one) => [one.path, one]));
      for (const { from, path } of group.moves) {
        const why = refused.get(from);
        if (why) left.push({ path, reason: why.reason });
        else done.push(path);
      }
    } else {
      const outcome = await doStep(group.step, writer, run);
      if (outcome === "done") done.push(group.step.path);
      else if (outcome !== "nothing") left.push({ path: group.step.path, ...outcome });
    }
  }
  return { done, left };
}

type StoreMove = Move & { readonly path: string };
type Group = { readonly moves: StoreMove[] } | { readonly step: UndoStep };

/** Moves that follow each other are made together: a collection may have moved many thousands. */
function groupMoves(steps: readonly UndoStep[], writer: StoreWriter): readonly Group[] {
  const groups: Group[] = [];
  for (const step of steps) {
    const move = toMove(step, writer);
    const last = groups.at(-1);
    if (!move) groups.push({ step });
    else if (last && "moves" in last) last.moves.push(move);
    else groups.push({ moves: [move] });
  }
  return groups;
}

function toMove(step: UndoStep, writer: StoreWriter): StoreMove | undefined {
  const { does, path } = step;
  if (does === "move-back") return { path, from: step.from, to: path };
  if (does === "take-out") return { path, from: path, to: step.to ?? writer.movedPath(), seen: step.seen };
  return undefined;
}

type StepOutcome = "done" | "nothing" | { readonly reason: string };

async function doStep(step: UndoStep, writer: StoreWriter, run: OpenRun): Promise<StepOutcome> {
  switch (step.does) {
    case "put-back":
      return putBack(step, writer, run);
    case "make-directory":
      await writer.makeDirectory(step.path, step.like);
      return "done";
    case "remove-directory":
      // What others have put into it meanwhile is theirs, and so is the directory.
      return (await writer.removeDirectory(step.path)) ? "done" : "nothing";
    default:
      return "nothing";
  }
}

/** What was kept stays where it is, under a second name, so that the run can be undone once more. */
async function putBack(
  { path, kept, seen }: Extract<UndoStep, { does: "put-back" }>,
  writer: StoreWriter,
  { effects }: OpenRun,
): Promise<StepOutcome> {
  const mayReplace = async (at: string) => {
    const found = await statOf(at);
    return seen !== null && found !== undefined && isUnchanged(found, seen);
  };
  if ((await exists(path)) && !(await mayReplace(path))) return { reason: "was written meanwhile by a push" };
  const staged = writer.stagingPath();
  await effects.keep(kept, staged);
  try {
    await writer.putStaged({ path, staged, digest: null, mayReplace });
    return "done";
  } catch (error) {
    if (error instanceof ProgramError && error.code === "E_STORE_UNWRITABLE")
      return { reason: "was written meanwhile by a push" };
    throw error;
  }
}

/**
 * What puts forward again, of what an undo did, that which these paths name.
 *
 * Errors: as of {@link planUndo}.
 */
export async function planRedo(
  undo: RecordedRun,
  scope: Omit<UndoScope, "findNeeded">,
  paths: ReadonlySet<string>,
): Promise<readonly UndoStep[]> {
  const steps = await planUndo(undo, { ...scope, findNeeded: async () => new Map() });
  return steps.filter(({ path }) => paths.has(path));
}

/** The paths that a run took out of the stores, or replaced in them. */
export function takenAway({ entries }: RecordedRun, { directory, stores }: UndoScope): ReadonlySet<string> {
  const paths = entries.flatMap((entry) => {
    if (entry.did === "moved") return [resolve(directory, entry.from)];
    return entry.did === "replaced" ? [resolve(directory, entry.path)] : [];
  });
  return new Set(paths.filter((path) => storeOf(path, stores) !== undefined));
}

/** The undo of a run that was begun last, and those before it that did not come to their end. */
export async function unfinishedUndos({ workDirectory }: RecordedRun): Promise<readonly RecordedRun[]> {
  const unfinished: RecordedRun[] = [];
  for (const name of (await undoNames(workDirectory)).toReversed()) {
    // One that was killed before it had a journal has done nothing.
    if (!(await exists(join(workDirectory, name, journalFile)))) continue;
    const run = await readRun(join(workDirectory, name));
    if (run.isFinished) break;
    unfinished.push(run);
  }
  return unfinished;
}

/** A name for the directory of the next undo of a run. */
export async function nextUndoDirectory({ workDirectory }: RecordedRun): Promise<string> {
  const last = (await undoNames(workDirectory)).at(-1) ?? "undo-0";
  return join(workDirectory, `undo-${Number(last.slice("undo-".length)) + 1}`);
}

async function undoNames(workDirectory: string): Promise<readonly string[]> {
  const names = (await readdir(workDirectory)).filter((name) => /^undo-\d+$/.test(name));
  return names.sort((a, b) => Number(a.slice("undo-".length)) - Number(b.slice("undo-".length)));
}
