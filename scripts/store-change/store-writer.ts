import { lstat, stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ProgramError, systemCode } from "../cli/errors.ts";
import { type Digest, digestOf } from "../registry/digest.ts";
import { isFileOf } from "../source/disk/verified-blob.ts";
import {
  createStoreGuard,
  exists,
  isUnchanged,
  type Ownership,
  ownershipFor,
  requireInStore,
  type Stamp,
  statOf,
  storeOf,
} from "./paths.ts";
import type { OpenRun } from "./run-directory.ts";

/** How long a file that another process is just writing may be empty. */
const fillingLimitMilliseconds = 1000;

/**
 * Changes stores: journal first, then atomically, never outside of a store. The registry may be at work meanwhile: what a
 * push has just written is never replaced.
 */
export interface StoreWriter {
  /** A name in the staging area that is free. */
  readonly stagingPath: () => string;
  /** A name in the run's directory, free, for what is moved out of a store. */
  readonly movedPath: () => string;
  /** Writes a small text to a path of a store. Errors: E_STORE_UNWRITABLE when a push was faster. */
  readonly putText: (path: string, text: string, mayReplace?: MayReplace) => Promise<void>;
  /** Moves a staged file to a path of a store. Errors: as {@link StoreWriter.putText}. */
  readonly putStaged: (put: StagedFile) => Promise<void>;
  /**
   * Moves files and whole directories to names that are free: out of a store, or back into it. All of them are in the
   * journal and on the disk before the first is moved, so many cost little more than one.
   *
   * Returns those that were not moved, by the name that they have.
   */
  readonly move: (moves: readonly Move[]) => Promise<readonly NotDone[]>;
  /** Whether it was empty, and so removed. */
  readonly removeDirectory: (path: string) => Promise<boolean>;
  /** Makes a directory of a store and what is missing above it, like its neighbours or as given. */
  readonly makeDirectory: (path: string, like?: Ownership) => Promise<void>;
}

/** Whether the file at a path may give way; asked directly before it is replaced. */
export type MayReplace = (path: string) => Promise<boolean>;

export interface StagedFile {
  readonly path: string;
  readonly staged: string;
  /** Of its content. Null: unknown, so what lies at the path is never taken for the same. */
  readonly digest: Digest | null;
  readonly mayReplace?: MayReplace | undefined;
}

export interface Move {
  readonly from: string;
  readonly to: string;
  /** The file as it was when the move was planned: one that was written since, or while it is moved, stays. */
  readonly seen?: Stamp;
}

export interface NotDone {
  readonly path: string;
  /** Half a sentence about the path. */
  readonly reason: string;
}

export function createStoreWriter(run: OpenRun): StoreWriter {
  let counter = 0;
  const nextName = () => {
    counter += 1;
    return String(counter);
  };
  const stagingPath = () => join(run.workDirectory, "staged", nextName());
  const putStaged = (put: StagedFile) => putFile(put, nextName, run);
  return {
    stagingPath,
    movedPath: () => join(run.workDirectory, "moved", nextName()),
    putStaged,
    putText: async (path, text, mayReplace) => {
      const content = Buffer.from(text);
      const staged = stagingPath();
      const sink = await run.effects.createFile(staged, await ownershipFor(path));
      await sink.write(content);
      await sink.finish();
      await putStaged({ path, staged, digest: digestOf(content), mayReplace });
    },
    move: (moves) => moveAll(moves, run),
    removeDirectory: (path) => removeEmpty(path, run),
    makeDirectory: async (path, like) => {
      await requireInStore(path, run.stores);
      await makeDirectories(path, run, like);
    },
  };
}

async function putFile(put: StagedFile, nextName: () => string, run: OpenRun): Promise<void> {
  const { path, staged } = put;
  await requireInStore(path, run.stores);
  await makeDirectories(dirname(path), run);
  const found = await statOf(path);
  if (found && !found.isFile()) throw notAFile(path);
  if (!found) await create(put, run);
  else if (await isSame(put)) await run.effects.removeFile(staged);
  else await replace(put, nextName(), run);
  await run.effects.syncDirectory(dirname(path));
}

async function create(put: StagedFile, run: OpenRun): Promise<void> {
  const { path, staged, digest } = put;
  await run.journal.record({ did: "created", path: nameOf(path, run), digest, ...(await stampOf(staged)) });
  try {
    await run.effects.putNew(staged, path);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    await run.journal.record({ did: "nothing", path: nameOf(path, run) });
    await run.effects.removeFile(staged);
    // The name is taken at once, the content may need a moment.
    await until(async () => (await lstat(path)).size > 0);
    if (!(await isSame(put))) throw writtenMeanwhile(path);
  }
}

async function replace(put: StagedFile, name: string, run: OpenRun): Promise<void> {
  const { path, staged, digest, mayReplace = async () => true } = put;
  const { effects, journal, workDirectory } = run;
  const kept = join(workDirectory, "kept", name);
  const stamp = await stampOf(staged);
  const before = await lstat(path);
  await journal.record({ did: "replaced", path: nameOf(path, run), digest, kept: name, ...stamp });
  await effects.keep(path, kept);
  await effects.syncDirectory(dirname(kept));
  if (await mayReplace(path)) {
    await effects.replace(staged, path);
    if (!(await wasWritten(kept, before, mayReplace))) return;
    // The registry writes links in place: what a push wrote after the last check is in the file that was kept.
    await effects.replace(kept, path);
  } else {
    await effects.removeFile(kept);
    await effects.removeFile(staged);
  }
  await journal.record({ did: "nothing", path: nameOf(path, run) });
  throw writtenMeanwhile(path);
}

/** Whether a push wrote into a file that was replaced. One that was only opened, which changes its time, is waited for. */
async function wasWritten(kept: string, before: Stamp, mayReplace: MayReplace): Promise<boolean> {
  if (isUnchanged(await lstat(kept), before)) return !(await mayReplace(kept));
  return until(async () => !(await mayReplace(kept)));
}

/** Whether the content at the path is what is to be written there. */
async function isSame({ path, staged, digest }: StagedFile): Promise<boolean> {
  if (digest === null) return false;
  const expected = (await statOf(staged))?.size;
  if (expected !== undefined && (await lstat(path)).size !== expected) return false;
  return isFileOf(path, digest);
}

/** Waits until something holds; false when it did not within the limit. */
async function until(holds: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + fillingLimitMilliseconds;
  while (!(await holds())) {
    if (performance.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}

async function moveAll(moves: readonly Move[], run: OpenRun): Promise<readonly NotDone[]> {
  const { effects, journal, stores } = run;
  const requireInside = createStoreGuard(stores);
  for (const { from, to } of moves) await requireInside(storeOf(to, stores) === undefined ? from : to);
  await journal.record(
    ...moves.map(({ from, to }) => ({ did: "moved", from: nameOf(from, run), to: nameOf(to, run) }) as const),
  );
  const notDone: NotDone[] = [];
  const refuse = async ({ from: path }: Move, reason: string) => {
    notDone.push({ path, reason });
    await journal.record({ did: "nothing", path: nameOf(path, run) });
  };
  const moved: Move[] = [];
  const parents = new Set<string>();
  for (const move of moves) {
    const parent = dirname(move.to);
    // Not before its turn: what was moved earlier may have brought it back.
    if (storeOf(parent, stores) !== undefined && !parents.has(parent)) await makeDirectories(parent, run);
    parents.add(parent);
    const reason = (await wasWrittenSince(move, move.from)) ?? (await tryMove(move, run));
    if (reason === undefined) moved.push(move);
    else await refuse(move, reason);
  }
  for (const move of moved) {
    const reason = await wasWrittenSince(move, move.to);
    if (reason === undefined) continue;
    // The registry writes links in place, so what a push wrote meanwhile went along.
    await tryMove({ from: move.to, to: move.from }, run);
    await refuse(move, reason);
  }
  // Where things went first: after a power cut they must be under one of both names.
  const directories = [...moves.map(({ to }) => dirname(to)), ...moves.map(({ from }) => dirname(from))];
  // One that was moved itself has its name in another.
  for (const directory of new Set(directories))
    if (await exists(directory)) await effects.syncDirectory(directory);
  return notDone;
}

async function wasWrittenSince({ seen }: Move, path: string): Promise<string | undefined> {
  const found = seen && (await statOf(path));
  return found && !isUnchanged(found, seen) ? "was written meanwhile by a push" : undefined;
}

async function tryMove({ from, to }: Move, { effects }: OpenRun): Promise<string | undefined> {
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

async function removeEmpty(path: string, run: OpenRun): Promise<boolean> {
  const { effects, journal } = run;
  await requireInStore(path, run.stores);
  const found = await statOf(path);
  if (!found) return false;
  const { uid, gid, mode } = found;
  await journal.record({ did: "removed-directory", path: nameOf(path, run), uid, gid, mode });
  try {
    await effects.removeDirectory(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT" && systemCode(error) !== "ENOTEMPTY") throw error;
    await journal.record({ did: "nothing", path: nameOf(path, run) });
    return false;
  }
  await effects.syncDirectory(dirname(path));
  return true;
}

async function makeDirectories(path: string, run: OpenRun, given?: Ownership): Promise<void> {
  if (await exists(path)) return;
  const parent = dirname(path);
  await makeDirectories(parent, run);
  const like = given ?? (await stat(parent));
  await run.journal.record({ did: "made-directory", path: nameOf(path, run) });
  try {
    await run.effects.makeDirectory(path, like);
  } catch (error) {
    if (systemCode(error) !== "EEXIST" || !(await stat(path)).isDirectory()) throw error;
    // A push has made it meanwhile, so it is not ours to remove.
    await run.journal.record({ did: "nothing", path: nameOf(path, run) });
  }
  await run.effects.syncDirectory(parent);
}

/** By what a file that was written is known again: another write changes its time. */
async function stampOf(path: string): Promise<{ readonly sizeBytes: number; readonly mtimeMs: number }> {
  const { size, mtimeMs } = await lstat(path);
  return { sizeBytes: size, mtimeMs };
}

/** As journals name a path. */
function nameOf(path: string, { directory }: OpenRun): string {
  return relative(resolve(directory), path);
}

function writtenMeanwhile(path: string): ProgramError {
  return new ProgramError(
    "E_STORE_UNWRITABLE",
    `${path} was written meanwhile by a push; it is left as it is.`,
  );
}

function notAFile(path: string): ProgramError {
  return new ProgramError(
    "E_STORE_UNWRITABLE",
    `${path} is no regular file, so it is neither replaced nor removed. See what it is (ls -ld), move it away, repair again.`,
  );
}
