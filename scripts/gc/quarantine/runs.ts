import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ProgramError, systemCode } from "../../cli/errors.ts";
import { ownDirectory } from "../../registry/paths.ts";
import { journalFile, type RecordedRun, readRun } from "../../store-change/journal.ts";
import { exists } from "../../store-change/paths.ts";
import { purgingSuffix, runTime } from "../../store-change/run-directory.ts";

/*
 * What collections moved out of the stores below a directory:
 *
 *   DIR/.regwarden/quarantine/
 *   ├── RUN/                  a run directory of store-change; RUN is the time of its begin
 *   │   ├── journal.jsonl     without a last line that ends it, the run was cut off
 *   │   ├── moved/N           a link's directory or a blob's
 *   │   └── undo-N/           a journal of what was put back
 *   └── RUN.purging/          is being removed for good
 */

/** Directory of all runs. */
export function quarantinePath(directory: string): string {
  return join(resolve(directory), ownDirectory, "quarantine");
}

/** A name for a run that begins now. */
export function newRunDirectory(directory: string, now: Date): string {
  return join(quarantinePath(directory), runTime(now));
}

/** The name that a run's directory gets before it is removed. */
export function purgingPath(workDirectory: string): string {
  return workDirectory + purgingSuffix;
}

/** Names in the quarantine, the oldest first. */
export interface RunNames {
  readonly runs: readonly string[];
  /** Whose removal was begun. */
  readonly purging: readonly string[];
}

export async function listRuns(directory: string): Promise<RunNames> {
  const found = await readdir(quarantinePath(directory), { withFileTypes: true }).catch(ignoreMissing);
  const names = found.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return {
    runs: names.filter((name) => !name.endsWith(purgingSuffix)).sort(),
    purging: names.filter((name) => name.endsWith(purgingSuffix)).sort(),
  };
}

/** A run by its directory; undefined for one that was killed before it had a journal, and so moved nothing. */
export async function readRunIn(workDirectory: string): Promise<RecordedRun | undefined> {
  return (await exists(join(workDirectory, journalFile))) ? readRun(workDirectory) : undefined;
}

/** All runs that moved anything, the oldest first. Errors: E_CONFIGURATION for a journal that is damaged. */
export async function readRuns(directory: string): Promise<readonly RecordedRun[]> {
  const { runs } = await listRuns(directory);
  const read = await Promise.all(runs.map((name) => readRunIn(join(quarantinePath(directory), name))));
  return read.filter((run) => run !== undefined);
}

export function nameOfRun({ workDirectory }: Pick<RecordedRun, "workDirectory">): string {
  return basename(workDirectory);
}

/**
 * The run that a name, or the path of its directory or journal, stands for.
 *
 * Errors: E_CONFIGURATION for one that is unknown, with the names of all.
 */
export async function findRun(directory: string, given: string): Promise<RecordedRun> {
  const { runs, purging } = await listRuns(directory);
  const name = basename(given) === journalFile ? basename(resolve(given, "..")) : basename(given);
  const isPath = given.includes("/");
  const path = join(quarantinePath(directory), name);
  const isHere = !isPath || [path, join(path, journalFile)].includes(resolve(given));
  const run = isHere && runs.includes(name) ? await readRunIn(path) : undefined;
  if (run) return run;
  const isPurged = purging.includes(name + purgingSuffix) || purging.includes(name);
  const why = isPurged ? `${name} is being purged: it cannot be undone.` : `There is no run ${given} here.`;
  const known = runs.length === 0 ? "The quarantine is empty." : `Runs: ${runs.join(", ")}`;
  throw new ProgramError("E_CONFIGURATION", `${why} ${known} (in ${quarantinePath(directory)})`);
}

function ignoreMissing(error: unknown): [] {
  if (systemCode(error) !== "ENOENT") throw error;
  return [];
}
