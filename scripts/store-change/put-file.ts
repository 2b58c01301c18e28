import { lstat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ProgramError, systemCode } from "../cli/errors.ts";
import type { Digest } from "../registry/digest.ts";
import { isFileOf } from "../source/disk/verified-blob.ts";
import { makeDirectories } from "./directories.ts";
import { isUnchanged, requireInStore, type Stamp, statOf } from "./paths.ts";
import { nameInJournal, type OpenRun } from "./run-directory.ts";

/** How long a file that another process is just writing may be empty. */
const fillingLimitMilliseconds = 1000;

/** Whether the file at a path may give way; asked directly before it is replaced. */
export type MayReplace = (path: string) => Promise<boolean>;

export interface StagedFile {
  readonly path: string;
  readonly staged: string;
  /** Of its content. Null: unknown, so what lies at the path is never taken for the same. */
  readonly digest: Digest | null;
  readonly mayReplace?: MayReplace | undefined;
}

/**
 * Moves a staged file to a path of a store. `nextName` names what it replaces.
 *
 * Errors: E_STORE_UNWRITABLE when a push was faster; those of the file system.
 */
export async function putFile(put: StagedFile, nextName: () => string, run: OpenRun): Promise<void> {
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
  await run.journal.record({
    did: "created",
    path: nameInJournal(path, run),
    digest,
    ...(await stampOf(staged)),
  });
  try {
    await run.effects.putNew(staged, path);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    await run.journal.record({ did: "nothing", path: nameInJournal(path, run) });
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
  await journal.record({ did: "replaced", path: nameInJournal(path, run), digest, kept: name, ...stamp });
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
  await journal.record({ did: "nothing", path: nameInJournal(path, run) });
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

/** By what a file that was written is known again: another write changes its time. */
async function stampOf(path: string): Promise<{ readonly sizeBytes: number; readonly mtimeMs: number }> {
  const { size, mtimeMs } = await lstat(path);
  return { sizeBytes: size, mtimeMs };
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
