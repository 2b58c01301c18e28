import { basename, relative, resolve } from "node:path";
import type { GcPurgeRun } from "../../../contract/gc-purge-report.ts";
import type { RecordedRun } from "../../store-change/journal.ts";
import { bytesOf, contentsOf, type Quarantined } from "../quarantine/contents.ts";
import type { Missed } from "../quarantine/missed.ts";
import { nameOfRun, purgingPath } from "../quarantine/runs.ts";

/** What becomes of one run. */
export interface PlannedRun {
  readonly run: RecordedRun;
  readonly decision: GcPurgeRun["decision"];
  readonly things: number;
  readonly bytes: number;
  readonly putBack: readonly Missed<Quarantined>[];
}

export interface PurgeQuestion {
  readonly directory: string;
  /** Runs that began later are young, milliseconds since 1970. */
  readonly begunBy: number;
  /** What the stores need of any run, whether it was put back already or not. */
  readonly missed: readonly Missed<Quarantined>[];
  /** Data directories of stores of which it is unknown what they need. */
  readonly unknown: readonly string[];
}

export const cutOffReason = "a collection that was cut off before it had checked its result";

/** Decides about each run; the oldest first. */
export function planPurge(runs: readonly RecordedRun[], question: PurgeQuestion): readonly PlannedRun[] {
  return runs.map((run) => {
    const contents = contentsOf(run, question.directory);
    const putBack = question.missed.filter(({ thing }) => thing.run.workDirectory === run.workDirectory);
    const bytes = contents.reduce((sum, thing) => sum + bytesOf(thing), 0);
    const decision = decide(run, contents, putBack, question);
    return { run, decision, things: contents.length, bytes, putBack };
  });
}

function decide(
  run: RecordedRun,
  contents: readonly Quarantined[],
  putBack: PlannedRun["putBack"],
  { begunBy, unknown }: PurgeQuestion,
): PlannedRun["decision"] {
  if (!run.isFinished && putBack.length > 0) return "cut-off";
  if (putBack.length > 0) return "needed";
  if (run.begunAt > begunBy) return "young";
  const isUnknown = contents.some(({ path }) => unknown.some((store) => path.startsWith(`${store}/`)));
  return isUnknown ? "unknown" : "purge";
}

export function reportRun(planned: PlannedRun, directory: string): GcPurgeRun {
  const { run, decision, bytes, things, putBack } = planned;
  const reasons = new Map<string, Set<string>>();
  for (const missed of putBack) {
    const path = relative(resolve(directory), missed.thing.path);
    reasons.set(path, new Set([...(reasons.get(path) ?? []), ...missed.for]));
  }
  return {
    name: nameOfRun(run),
    begunAt: new Date(run.begunAt).toISOString(),
    decision,
    bytes,
    things,
    putBack: [...reasons].map(([path, of]) => ({ path, reason: [...of].join(", ") })),
  };
}

/** A run whose removal was begun before, by the name of its directory. */
export function reportPurging(directoryName: string): GcPurgeRun {
  const name = basename(directoryName, purgingPath(""));
  return { name, begunAt: null, decision: "finish", bytes: 0, things: 0, putBack: [] };
}
