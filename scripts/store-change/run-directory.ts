import { stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { describeError, ProgramError } from "../cli/errors.ts";
import { ownDirectory, storePath } from "../registry/paths.ts";
import type { Effects } from "./effects.ts";
import { type Journal, journalFile, journalSchema, openJournal } from "./journal.ts";
import { exists, nearestExisting, type Ownership } from "./paths.ts";

/** A run that is at work. */
export interface OpenRun {
  /** The directory that the program was given: journals name paths from there. */
  readonly directory: string;
  /** Where journal, staging and what is kept lie. */
  readonly workDirectory: string;
  /** Data directories of the stores that may be changed. */
  readonly stores: readonly string[];
  readonly effects: Effects;
  readonly journal: Journal;
}

interface Options extends Omit<OpenRun, "journal"> {
  /** For an undo of the run. */
  readonly note?: Readonly<Record<string, unknown>>;
}

/** The end of the name that a run's directory gets before it is removed: an interrupted removal is ended by the next. */
export const purgingSuffix = ".purging";

/** As journals name a path. */
export function nameInJournal(path: string, { directory }: Pick<OpenRun, "directory">): string {
  // Nearly all lie below it, and a collection names a hundred thousand.
  const isBelow =
    isAbsolute(directory) && path.startsWith(`${directory}${sep}`) && !/\/\.{0,2}(?:\/|$)/.test(path);
  return isBelow ? path.slice(directory.length + 1) : relative(resolve(directory), path);
}

/** The time at which a run begins, as its directory is named: `20260419T031500.123Z`. Names sort by time. */
export function runTime(now: Date): string {
  return now.toISOString().replaceAll(/[-:]/g, "");
}

/** `DIR/.regwarden/NAME-TIME`, for a run that was given no directory. */
export function usualWorkDirectory(directory: string, name: string, now: Date): string {
  return join(resolve(directory), ownDirectory, `${name}-${runTime(now)}`);
}

/**
 * Makes the directory of one run, with an open journal in it.
 *
 * Errors: E_STORE_UNWRITABLE when it cannot be made, E_CONFIGURATION when it is of no use; nothing was changed then.
 */
export async function openRun({ note, ...run }: Options): Promise<OpenRun> {
  const { effects, workDirectory, stores } = run;
  try {
    if (await exists(join(workDirectory, journalFile)))
      throw new ProgramError(
        "E_CONFIGURATION",
        `${workDirectory} holds a journal already; nothing was changed. Give another directory.`,
      );
    const above = await stat(await nearestExisting(workDirectory));
    await requireOneFileSystem(workDirectory, above.dev, stores);
    await makeDirectories(effects, workDirectory, above);
    const journal = await openJournal(effects, workDirectory);
    return await closedOnError(journal, () => begin({ ...run, journal }, note));
  } catch (cause) {
    if (cause instanceof ProgramError) throw cause;
    const message = `Cannot write the journal in ${workDirectory}: ${describeError(cause)}. Nothing was changed.`;
    throw new ProgramError("E_STORE_UNWRITABLE", message, { cause });
  }
}

async function begin(run: OpenRun, note: Options["note"]): Promise<OpenRun> {
  const { journal, effects, workDirectory } = run;
  // By the clock of the file system, as it is compared with the times of what lies there.
  const { mtimeMs } = await stat(join(workDirectory, journalFile));
  const at = new Date(Math.ceil(mtimeMs)).toISOString();
  const begin = { did: "begin", schema: journalSchema, at } as const;
  await journal.record(note ? [begin, { did: "note", note }] : begin);
  await effects.syncDirectory(workDirectory);
  return run;
}

/** Does `work`; where it fails, the journal is closed without the line that ends a run. */
export async function closedOnError<T>(journal: Pick<Journal, "close">, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await journal.close().catch(() => {});
    throw error;
  }
}

/** Ends a run. A full disk may refuse even this line; nothing but a hint depends on it. */
export async function closeRun({ journal }: OpenRun): Promise<void> {
  await journal.record({ did: "end", at: new Date().toISOString() }).catch(() => {});
  await journal.close().catch(() => {});
}

/** Files and directories go into the store, and out of it, by changing their names: that is all or nothing. */
async function requireOneFileSystem(path: string, device: number, stores: readonly string[]): Promise<void> {
  for (const store of stores)
    if ((await stat(storePath(store))).dev !== device)
      throw new ProgramError(
        "E_CONFIGURATION",
        `${path} lies on another file system than the store ${store}; nothing was changed. Give this store alone as the directory (${store}), or a directory beside it for the journal.`,
      );
}

/** Every user may see that no registry is there; what was moved out of a store is for its owner. */
async function makeDirectories(effects: Effects, path: string, above: Ownership): Promise<void> {
  const parent = dirname(path);
  await makeParents(effects, parent, { ...above, mode: 0o755 });
  const like = { uid: above.uid, gid: above.gid, mode: 0o700 };
  if (!(await exists(path))) await effects.makeDirectory(path, like);
  for (const name of ["staged", "kept", "moved"]) await effects.makeDirectory(join(path, name), like);
  await effects.syncDirectory(parent);
}

async function makeParents(effects: Effects, path: string, like: Ownership): Promise<void> {
  if (await exists(path)) return;
  await makeParents(effects, dirname(path), like);
  await effects.makeDirectory(path, like);
  await effects.syncDirectory(dirname(path));
}
