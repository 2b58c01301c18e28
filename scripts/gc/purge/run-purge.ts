import { join } from "node:path";
import { type ExitCode, exitCodes } from "../../../contract/exit-codes.ts";
import {
  type GcPurgeReport,
  type GcPurgeRun,
  gcPurgeReportSchema,
} from "../../../contract/gc-purge-report.ts";
import type { Terminal } from "../../cli/terminal.ts";
import type { MarkOptions } from "../../mark/mark.ts";
import { type DiskSource, discoverRegistries } from "../../source/disk/registry.ts";
import type { Effects } from "../../store-change/effects.ts";
import type { RecordedRun } from "../../store-change/journal.ts";
import { removeTree } from "../../store-change/remove-tree.ts";
import { withStoreLocks } from "../../store-change/store-lock.ts";
import { indexContents, type Quarantined } from "../quarantine/contents.ts";
import type { Missed } from "../quarantine/missed.ts";
import { putBack } from "../quarantine/put-back.ts";
import { listRuns, purgingPath, quarantinePath, readRuns } from "../quarantine/runs.ts";
import { findMissed, type MissedInStores } from "./find-missed.ts";
import { cutOffReason, planPurge, reportPurging, reportRun } from "./plan.ts";
import { renderPurge } from "./table.ts";

export interface PurgeOptions {
  readonly directory: string;
  readonly ageMs: number;
  readonly apply: boolean;
  readonly json: boolean;
  /** What keeps things beside the tags. */
  readonly mark: MarkOptions;
}

/**
 * Removes for good what old runs moved into the quarantine, or says what that would be. What the stores need by now is put
 * back first, and its run stays.
 *
 * Errors: E_STORE_LOCKED; E_STORE_UNWRITABLE; E_CONFIGURATION for a journal that is damaged.
 */
export async function runGcPurge(
  options: PurgeOptions,
  terminal: Terminal,
  effects: Effects,
): Promise<{ readonly exitCode: ExitCode; readonly report: GcPurgeReport }> {
  const startedAt = performance.now();
  const { directory, apply, json } = options;
  const { sources } = await discoverRegistries(directory);
  const runs = await readRuns(directory);
  const used = usedSources(sources, indexContents(runs, directory));
  const work: Work = { options, sources: used, terminal, effects };
  const locked = apply ? used.map(({ dataDirectory }) => dataDirectory) : [];
  const purged = await withStoreLocks(locked, () => purge(work));
  const report: GcPurgeReport = {
    schema: gcPurgeReportSchema,
    applied: apply,
    ...purged,
    finishedAt: new Date().toISOString(),
    durationSeconds: Math.round(performance.now() - startedAt) / 1000,
  };
  terminal.out(json ? `${JSON.stringify(report, null, 2)}\n` : renderPurge(report));
  return { exitCode: exitCodeOf(report), report };
}

interface Work {
  readonly options: PurgeOptions;
  /** Stores of which anything is in the quarantine. */
  readonly sources: readonly DiskSource[];
  readonly terminal: Terminal;
  readonly effects: Effects;
}

type Purged = Pick<GcPurgeReport, "complete" | "runs" | "freedBytes" | "problems">;

async function purge(work: Work): Promise<Purged> {
  const { options, effects } = work;
  const { directory, apply } = options;
  const { purging } = await listRuns(directory);
  const checked = await checkRuns(work);
  const planned = planPurge(checked.runs, {
    directory,
    begunBy: Date.now() - options.ageMs,
    missed: checked.missed,
    unknown: [...checked.unknown.keys()],
  });
  let freedBytes = 0;
  for (const { run, bytes, decision } of planned) {
    if (decision !== "purge") continue;
    freedBytes += bytes;
    if (!apply) continue;
    // From now on it is neither undone nor put back: what is removed half is of no use.
    await effects.replace(run.workDirectory, purgingPath(run.workDirectory));
    await effects.syncDirectory(quarantinePath(directory));
    await removeTree(purgingPath(run.workDirectory), effects);
  }
  for (const name of apply ? purging : [])
    freedBytes += await removeTree(join(quarantinePath(directory), name), effects);
  const runs: GcPurgeRun[] = [
    ...purging.map(reportPurging),
    ...planned.map((one) => reportRun(one, directory)),
  ];
  return { complete: checked.isComplete, runs, freedBytes, problems: [...checked.unknown.values()] };
}

const roundsAtMost = 5;

interface CheckedRuns extends MissedInStores {
  /** As they are after that, the oldest first. */
  readonly runs: readonly RecordedRun[];
}

/** Puts back what was cut off and what is needed, until nothing is, and returns all of that; without `--apply`, what it is. */
async function checkRuns({ options, sources, terminal, effects }: Work): Promise<CheckedRuns> {
  const { directory, apply, mark } = options;
  const all: Missed<Quarantined>[] = [];
  const scope = { directory, stores: sources.map(({ dataDirectory }) => dataDirectory), effects };
  for (let round = 1; ; round += 1) {
    const runs = await readRuns(directory);
    const index = indexContents(runs, directory);
    const found = isWorthChecking(runs, options)
      ? await findMissed(sources, index, mark, terminal)
      : nothingMissed;
    const cutOff = [...index.values()].filter(({ run }) => !run.isFinished);
    const missed = [...found.missed, ...cutOff.map((thing) => ({ thing, for: [cutOffReason] }))];
    all.push(...missed);
    if (!apply || missed.length === 0 || round === roundsAtMost) return { ...found, missed: all, runs };
    await putBack([...new Set(missed.map(({ thing }) => thing))], scope);
  }
}

const nothingMissed: MissedInStores = { missed: [], unknown: new Map(), isComplete: true };

/** A check reads all of the stores. */
function isWorthChecking(runs: readonly RecordedRun[], { ageMs }: PurgeOptions): boolean {
  return runs.some(({ begunAt }) => begunAt <= Date.now() - ageMs);
}

function usedSources(
  sources: readonly DiskSource[],
  index: ReadonlyMap<string, Quarantined>,
): readonly DiskSource[] {
  const paths = [...index.keys()];
  return sources.filter(({ dataDirectory }) => paths.some((path) => path.startsWith(`${dataDirectory}/`)));
}

function exitCodeOf({ applied, complete, runs }: GcPurgeReport): ExitCode {
  if (!complete) return exitCodes.couldNotCheck;
  const isDone = ({ decision }: GcPurgeRun) =>
    decision === "young" || (applied && (decision === "purge" || decision === "finish"));
  return runs.every(isDone) ? exitCodes.clean : exitCodes.findings;
}
