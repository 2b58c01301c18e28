import type { Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ProgramError } from "../cli/errors.ts";
import { parseDigest } from "../registry/digest.ts";
import { isFileOf } from "../source/disk/verified-blob.ts";
import type { JournalEntry, RecordedRun } from "./journal.ts";
import {
  createStoreGuard,
  exists,
  isSameFile,
  isUnchanged,
  type Ownership,
  type Stamp,
  stampToleranceMs,
  statOf,
  storeOf,
} from "./paths.ts";

/** One thing that an undo does, or why it does not. Paths are absolute. */
export type UndoStep =
  /** What was written goes out of the store, into the undo's own directory. */
  | { readonly does: "take-out"; readonly path: string; readonly seen: Stamp; readonly to: string | null }
  /** What was replaced comes back; what replaced it is kept. */
  | {
      readonly does: "put-back";
      readonly path: string;
      readonly seen: Stamp | null;
      readonly kept: string;
    }
  /** What was moved out of the store comes back. */
  | { readonly does: "move-back"; readonly path: string; readonly from: string }
  | { readonly does: "remove-directory"; readonly path: string }
  | { readonly does: "make-directory"; readonly path: string; readonly like: Ownership }
  /** It is needed now; the reason is a sentence. */
  | { readonly does: "keep"; readonly path: string; readonly reason: string }
  /** It was changed since; the reason is half a sentence. */
  | { readonly does: "leave"; readonly path: string; readonly reason: string };

/** What an undo would take out of the stores or replace in them, and how to know what was there before. */
export interface Endangered {
  readonly paths: ReadonlySet<string>;
  /** When the run began that is undone, milliseconds since 1970. */
  readonly since: number;
  /** Whether a file is as the run left it: no push has written it again. */
  readonly isOwn: (path: string) => Promise<boolean>;
}

/**
 * Which of the paths are needed by what came into the stores since, each with a sentence that names it. A path may be a
 * directory, which is needed when anything in it is.
 *
 * Errors: E_STORE_UNREADABLE when that could not be checked.
 */
export type FindNeeded = (endangered: Endangered) => Promise<ReadonlyMap<string, string>>;

export interface UndoScope {
  /** The directory that the program was given. */
  readonly directory: string;
  /** Data directories of the stores that may be changed. */
  readonly stores: readonly string[];
  readonly findNeeded: FindNeeded;
}

/**
 * What undoes a run, its last change first. It follows from what lies there now, so an undo that was cut off is simply
 * run again; and as an undo is a run itself, to redo is to undo the undo.
 *
 * Errors: E_STORE_UNWRITABLE for a path outside of the stores; E_STORE_UNREADABLE; those of the file system.
 */
export async function planUndo(run: RecordedRun, scope: UndoScope): Promise<readonly UndoStep[]> {
  const steps: UndoStep[] = [];
  const notDone = new Set<string>();
  const planner = { run, scope, requireInside: createStoreGuard(scope.stores) };
  for (const entry of run.entries.toReversed()) {
    if (entry.did === "nothing") notDone.add(entry.path);
    const path = entry.did === "moved" ? entry.from : "path" in entry ? entry.path : undefined;
    if (path === undefined || entry.did === "nothing" || notDone.delete(path)) continue;
    const step = await planEntry(entry, planner);
    if (step) steps.push(step);
  }
  const endangered = await findEndangered(run, scope, steps);
  const reasons = endangered.paths.size > 0 ? await scope.findNeeded(endangered) : new Map<string, string>();
  const decided = steps.map((step): UndoStep => {
    const reason = endangered.paths.has(step.path) ? reasons.get(step.path) : undefined;
    return reason === undefined ? step : { does: "keep", path: step.path, reason };
  });
  return directoriesLast(decided);
}

/** What a run changed in the stores, for a check whether any of it is needed now. */
export function endangeredBy(run: RecordedRun, directory: string, paths: ReadonlySet<string>): Endangered {
  const files = new Map<string, FileEntry>();
  for (const entry of run.entries)
    if (entry.did === "created" || entry.did === "replaced") files.set(resolve(directory, entry.path), entry);
  const isOwn = async (path: string) => {
    const [entry, found] = [files.get(path), await statOf(path)];
    return entry !== undefined && found !== undefined && isWrittenBy(entry, found, path, run);
  };
  return { paths, since: run.begunAt, isOwn };
}

async function findEndangered(
  run: RecordedRun,
  { directory }: UndoScope,
  steps: readonly UndoStep[],
): Promise<Endangered> {
  const paths = steps.filter(takesAway).map(({ path }) => path);
  return endangeredBy(run, directory, new Set(paths));
}

function takesAway(step: UndoStep): boolean {
  return step.does === "take-out" || (step.does === "put-back" && step.seen !== null);
}

type FileEntry = Extract<JournalEntry, { did: "created" | "replaced" }>;

interface Planner {
  readonly run: RecordedRun;
  readonly scope: UndoScope;
  readonly requireInside: (path: string) => Promise<void>;
}

async function planEntry(entry: JournalEntry, planner: Planner): Promise<UndoStep | undefined> {
  switch (entry.did) {
    case "created":
    case "replaced":
      return planFile(entry, planner);
    case "moved":
      return planMove(entry, planner);
    case "made-directory":
    case "removed-directory":
      return planDirectory(entry, planner);
    default:
      return undefined;
  }
}

async function planFile(
  entry: FileEntry,
  { run, scope, requireInside }: Planner,
): Promise<UndoStep | undefined> {
  const path = resolve(scope.directory, entry.path);
  await requireInside(path);
  const found = await statOf(path);
  const isOwn = found !== undefined && (await isWrittenBy(entry, found, path, run));
  if (entry.did === "created") {
    if (!found) return undefined;
    return isOwn ? { does: "take-out", path, seen: found, to: null } : leave(path, "was written since");
  }
  const kept = join(run.workDirectory, "kept", entry.kept);
  const old = await statOf(kept);
  // Without what was kept the replacing never came about, so what lies there is the old.
  if (!old) return isOwn ? leave(path, "was replaced, but what it replaced is gone") : undefined;
  if (!found) return { does: "put-back", path, seen: null, kept };
  if (isOwn) return { does: "put-back", path, seen: found, kept };
  return isUnchanged(found, old) ? undefined : leave(path, "was written since");
}

/** Whether a file is as the run wrote it. Errors: those of the file system. */
async function isWrittenBy(
  { sizeBytes, mtimeMs, digest: text }: FileEntry,
  found: Stats,
  path: string,
  { recordedAt }: RecordedRun,
): Promise<boolean> {
  if (!found.isFile()) return false;
  if (sizeBytes !== null && mtimeMs !== null) return isUnchanged(found, { size: sizeBytes, mtimeMs });
  // An old journal: a file is staged before its line is written, so a later time is that of another writer.
  const digest = parseDigest(text ?? "");
  return (
    found.mtimeMs <= recordedAt + stampToleranceMs && digest !== undefined && (await isFileOf(path, digest))
  );
}

async function planMove(
  entry: Extract<JournalEntry, { did: "moved" }>,
  { run, scope: { directory, stores }, requireInside }: Planner,
): Promise<UndoStep | undefined> {
  const [from, to] = [resolve(directory, entry.from), resolve(directory, entry.to)];
  const isIntoStore = storeOf(to, stores) !== undefined;
  await requireInside(isIntoStore ? to : from);
  requireOwn(isIntoStore ? from : to, run);
  const [left, moved] = [await statOf(from), await statOf(to)];
  if (!moved) return undefined;
  const isFree = !left || isSameFile(left, moved) || (await isEmptyDirectory(from, left, moved));
  if (isIntoStore) {
    if (isFree) return { does: "take-out", path: to, seen: moved, to: from };
    return leave(to, `cannot go back to ${from}, where something else lies`);
  }
  if (isFree) return { does: "move-back", path: from, from: to };
  return leave(from, `was written since; what was moved out of the store stays in ${to}`);
}

/** A directory gives way to a directory, when it is empty. */
async function isEmptyDirectory(path: string, found: Stats, moved: Stats): Promise<boolean> {
  return found.isDirectory() && moved.isDirectory() && (await readdir(path)).length === 0;
}

/** Of both names of what was moved, the one outside of the stores. Errors: E_STORE_UNWRITABLE. */
function requireOwn(path: string, { workDirectory }: RecordedRun): void {
  // An undo moves things back from the directory of the run that it undoes.
  const own = resolve(workDirectory).replace(/(?:\/undo-\d+)+$/, "");
  if (!path.startsWith(`${own}/`))
    throw new ProgramError("E_STORE_UNWRITABLE", `${path} does not lie in ${own}; nothing was changed.`);
}

async function planDirectory(
  entry: Extract<JournalEntry, { did: "made-directory" | "removed-directory" }>,
  { scope: { directory }, requireInside }: Planner,
): Promise<UndoStep | undefined> {
  const path = resolve(directory, entry.path);
  await requireInside(path);
  const isThere = await exists(path);
  if (entry.did === "made-directory") return isThere ? { does: "remove-directory", path } : undefined;
  return isThere ? undefined : { does: "make-directory", path, like: entry };
}

/** Directories go last, when they are empty. One that others use by now, or that holds what is kept, stays. */
async function directoriesLast(steps: readonly UndoStep[]): Promise<readonly UndoStep[]> {
  const others = steps.filter(({ does }) => does !== "remove-directory");
  const gone = new Set(others.filter(({ does }) => does === "take-out").map(({ path }) => path));
  const directories: UndoStep[] = [];
  for (const step of steps) {
    if (step.does !== "remove-directory" || !(await areAllIn(step.path, gone))) continue;
    gone.add(step.path);
    directories.push(step);
  }
  return [...others, ...directories];
}

async function areAllIn(directory: string, paths: ReadonlySet<string>): Promise<boolean> {
  if (!(await lstat(directory)).isDirectory()) return false;
  return (await readdir(directory)).every((name) => paths.has(join(directory, name)));
}

function leave(path: string, reason: string): UndoStep {
  return { does: "leave", path, reason };
}
