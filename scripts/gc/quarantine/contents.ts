import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { systemCode } from "../../cli/errors.ts";
import { statFile } from "../../source/disk/files.ts";
import type { RecordedRun } from "../../store-change/journal.ts";
import type { Placed } from "./needed.ts";

/** A directory that a collection moved out of a store, and that is in the quarantine still. Paths are absolute. */
export interface Quarantined extends Placed {
  readonly run: RecordedRun;
}

/** What of a run is in the quarantine still: not what was put back, or never moved. In the order of the moves. */
export function contentsOf(run: RecordedRun, directory: string): readonly Quarantined[] {
  const moved = join(run.workDirectory, "moved");
  const names = new Set(namesIn(moved));
  const contents: Quarantined[] = [];
  // A journal names paths from the directory, which may be mounted elsewhere by now.
  const known = new Map<string, string>();
  for (const entry of run.entries) {
    if (entry.did !== "moved") continue;
    const cut = entry.to.lastIndexOf("/") + 1;
    const [above, name] = [entry.to.slice(0, cut), entry.to.slice(cut)];
    if (!names.has(name)) continue;
    const place = known.get(above) ?? resolve(directory, above);
    known.set(above, place);
    if (place === moved) contents.push({ path: resolve(directory, entry.from), at: `${moved}/${name}`, run });
  }
  return contents;
}

/** By their paths in the store; of a path that was moved by several runs, what the last one moved. */
export type QuarantineIndex = ReadonlyMap<string, Quarantined>;

/** `runs`: the oldest first. */
export function indexContents(runs: readonly RecordedRun[], directory: string): QuarantineIndex {
  return new Map(runs.flatMap((run) => contentsOf(run, directory)).map((one) => [one.path, one]));
}

/** Whether it is a blob, and not a link. */
export function isBlob({ path }: Placed): boolean {
  return /\/blobs\/[^/]+\/[^/]{2}\/[^/]+$/.test(path);
}

/** Bytes of a blob; 0 for a link. */
export function bytesOf(quarantined: Placed): number {
  if (!isBlob(quarantined)) return 0;
  const data = statFile(join(quarantined.at, "data"));
  return data.state === "present" ? data.sizeBytes : 0;
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    // A run that was killed before it had this directory.
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
