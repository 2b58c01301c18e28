import { systemCode } from "../cli/errors.ts";
import { makeDirectories } from "./directories.ts";
import { createStoreGuard, directoryOf, exists, isUnchanged, type Stamp, statOf, storeOf } from "./paths.ts";
import { nameInJournal, type OpenRun } from "./run-directory.ts";

export interface Move {
  readonly from: string;
  readonly to: string;
  /** The file as it was when the move was planned: one that was written since, or while it is moved, stays. */
  readonly seen?: Stamp;
  /**
   * For what a stamp says too little about, such as a directory: called with the path right before the move, and with the
   * new one right after. Half a sentence about why it must stay; undefined: it may go.
   */
  readonly check?: (path: string) => string | undefined;
}

export interface NotDone {
  readonly path: string;
  /** Half a sentence about the path. */
  readonly reason: string;
}

/**
 * Moves files and whole directories to names that are free: out of a store, or back into it. All of them are in the
 * journal and on the disk before the first is moved, so many cost little more than one.
 *
 * Returns those that were not moved, by the name that they have.
 */
export async function moveAll(moves: readonly Move[], run: OpenRun): Promise<readonly NotDone[]> {
  await announceMoves(moves, run);
  const stayed = await moveEach(moves, run);
  const returned = await giveBackWritten(
    moves.filter(({ from }) => !stayed.has(from)),
    run,
  );
  await syncDirectories(moves, run);
  return [...stayed, ...returned].map(([path, reason]) => ({ path, reason }));
}

/** Entries of a journal that are written at a time: a text has a longest length. */
const entriesAtATime = 10_000;

/**
 * Writes moves into the journal and to the disk, before any of them is made. One that is never made after all needs no
 * word: what lies under neither name was not moved.
 *
 * Errors: E_STORE_UNWRITABLE for a path outside of the stores; those of the file system.
 */
export async function announceMoves(moves: readonly Move[], run: OpenRun): Promise<void> {
  const requireInside = createStoreGuard(run.stores);
  for (const { from, to } of moves) await requireInside(storeOf(to, run.stores) === undefined ? from : to);
  for (let at = 0; at < moves.length; at += entriesAtATime)
    await run.journal.record(
      moves.slice(at, at + entriesAtATime).map(({ from, to }) => ({
        did: "moved",
        from: nameInJournal(from, run),
        to: nameInJournal(to, run),
      })),
    );
}

type Reasons = ReadonlyMap<string, string>;

async function moveEach(moves: readonly Move[], run: OpenRun): Promise<Reasons> {
  const stayed = new Map<string, string>();
  const parents = new Set<string>();
  for (const move of moves) {
    const parent = directoryOf(move.to);
    // Not before its turn: what was moved earlier may have brought it back.
    if (storeOf(parent, run.stores) !== undefined && !parents.has(parent)) await makeDirectories(parent, run);
    parents.add(parent);
    const reason = (await wasWrittenSince(move, move.from)) ?? (await tryMove(move, run));
    if (reason === undefined) continue;
    stayed.set(move.from, reason);
    await run.journal.record({ did: "nothing", path: nameInJournal(move.from, run) });
  }
  return stayed;
}

/** The registry writes links in place, so what a push wrote while a file was moved went along. */
async function giveBackWritten(moves: readonly Move[], run: OpenRun): Promise<Reasons> {
  const returned = new Map<string, string>();
  for (const move of moves) {
    const reason = await wasWrittenSince(move, move.to);
    if (reason === undefined) continue;
    returned.set(move.from, reason);
    await tryMove({ from: move.to, to: move.from }, run);
    await run.journal.record({ did: "nothing", path: nameInJournal(move.from, run) });
  }
  return returned;
}

/** Writes the names of what was moved to the disk, where things went first: after a power cut they must be under one of both names. */
export async function syncDirectories(moves: readonly Move[], { effects }: OpenRun): Promise<void> {
  const directories = new Set(moves.map(({ to }) => directoryOf(to)));
  for (const { from } of moves) directories.add(directoryOf(from));
  // One that was moved itself has its name in another.
  const waiting = directories.values();
  const sync = async () => {
    for (const directory of waiting) if (await exists(directory)) await effects.syncDirectory(directory);
  };
  // A file system with a journal writes it once for all that ask at the same time.
  await Promise.all(Array.from({ length: syncsAtATime }, sync));
}

const syncsAtATime = 8;

async function wasWrittenSince({ seen, check }: Move, path: string): Promise<string | undefined> {
  const fault = check?.(path);
  if (fault !== undefined) return fault;
  const found = seen && (await statOf(path));
  return found && !isUnchanged(found, seen) ? "was written meanwhile by a push" : undefined;
}

/** Why it was not moved, in half a sentence; undefined when it was. Errors: those of the file system. */
export async function tryMove({ from, to }: Move, { effects }: OpenRun): Promise<string | undefined> {
  try {
    await effects.move(from, to);
    return undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" && !(await exists(from))) return "is not there any more";
    if (code === "EEXIST" || code === "ENOTEMPTY" || code === "ENOTDIR")
      return `was not moved, as ${to} was written meanwhile`;
    throw error;
  }
}
