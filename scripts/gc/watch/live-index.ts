import { join } from "node:path";
import { describeError } from "../../cli/errors.ts";
import type { RecordedRun } from "../../store-change/journal.ts";
import { journalFile } from "../../store-change/journal.ts";
import { statOf } from "../../store-change/paths.ts";
import { indexContents, type QuarantineIndex } from "../quarantine/contents.ts";
import { listRuns, quarantinePath, readRunIn } from "../quarantine/runs.ts";

/** What is in the quarantine, read again whenever that has changed. */
export interface LiveIndex {
  /** Errors: those of the file system. A run whose journal is damaged is left out, and said once. */
  readonly read: () => Promise<{ readonly runs: readonly RecordedRun[]; readonly index: QuarantineIndex }>;
}

export function createLiveIndex(directory: string, say: (text: string) => void): LiveIndex {
  let seen: string | undefined;
  let current: Awaited<ReturnType<LiveIndex["read"]>> = { runs: [], index: new Map() };
  const known = new Set<string>();
  const readRun = async (workDirectory: string) => {
    try {
      return await readRunIn(workDirectory);
    } catch (error) {
      if (!known.has(workDirectory)) say(`${describeError(error)} What it moved is not put back.\n`);
      known.add(workDirectory);
      return undefined;
    }
  };
  return {
    read: async () => {
      const { runs: names } = await listRuns(directory);
      const paths = names.map((name) => join(quarantinePath(directory), name));
      const now = JSON.stringify(await Promise.all(paths.map(stateOf)));
      if (now === seen) return current;
      const runs = (await Promise.all(paths.map(readRun))).filter((run) => run !== undefined);
      current = { runs, index: indexContents(runs, directory) };
      seen = now;
      return current;
    },
  };
}

/** What changes when a run moves anything, or something is put back. */
async function stateOf(workDirectory: string): Promise<readonly unknown[]> {
  const [journal, moved] = await Promise.all(
    [journalFile, "moved"].map((name) => statOf(join(workDirectory, name))),
  );
  return [workDirectory, journal?.size, journal?.mtimeMs, moved?.mtimeMs, moved?.ctimeMs];
}
