import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import type { RetainReport } from "../../contract/retain-report.ts";
import type { Command } from "../cli/command.ts";
import { describeError } from "../cli/errors.ts";
import { createProgressLine } from "../cli/progress.ts";
import type { Terminal } from "../cli/terminal.ts";
import { writeReportFile } from "../report/report-file.ts";
import { createFindRule, readRules } from "../retention-rules/read-rules.ts";
import { createEffects, type Effects } from "../store-change/effects.ts";
import { withStoreLocks } from "../store-change/store-lock.ts";
import { writeFreeze } from "../write-freeze/write-freeze.ts";
import { applyPlans } from "./apply.ts";
import { type PlanArguments, parseRetainArguments, retainHelp } from "./args.ts";
import { findStores, type Stores } from "./find-stores.ts";
import { renderRetainMetrics } from "./metrics.ts";
import { type PlanProgress, planRegistry, type RegistryPlan } from "./plan.ts";
import { runPurge } from "./purge.ts";
import { readEvidence } from "./read-evidence.ts";
import { buildReport } from "./report.ts";
import { renderOutcome, renderPlan } from "./table.ts";
import { runUndo } from "./undo.ts";

export const retainCommand: Command = {
  name: "retain",
  summary: "decide by rules which tags stay, and move the others out of the store",
  help: retainHelp,
  run: (argv, terminal) => runRetain(argv, terminal, createEffects()),
};

/** One run with the given way to touch the disk. */
export async function runRetain(
  argv: readonly string[],
  terminal: Terminal,
  effects: Effects,
): Promise<ExitCode> {
  const options = parseRetainArguments(argv);
  if (options.does === "undo") return runUndo(options, terminal, effects);
  if (options.does === "purge") return runPurge(options, terminal, effects);
  const startedAt = Date.now();
  const writeMetrics = async (report?: RetainReport) => {
    if (options.metricsPath === undefined) return;
    const outcome = { report, startedAt, finishedAt: Date.now() };
    const text = await renderRetainMetrics(options.metricsPath, outcome);
    await writeReportFile(options.metricsPath, text, "metrics");
  };
  const report = await planAndApply(options, { terminal, effects, startedAt }).catch(async (error) => {
    await writeMetrics().catch((second: unknown) => terminal.err(`${describeError(second)}\n`));
    throw error;
  });
  terminal.out(options.json ? `${JSON.stringify(report, null, 2)}\n` : renderText(report, options));
  await writeMetrics(report);
  return exitCodeOf(report);
}

interface World {
  readonly terminal: Terminal;
  readonly effects: Effects;
  readonly startedAt: number;
}

/** The locks are taken before anything is read: what another run writes meanwhile would make the plan wrong. */
async function planAndApply(options: PlanArguments, world: World): Promise<RetainReport> {
  const stores = await findStores(options);
  const { terminal, effects, startedAt } = world;
  const locked = options.apply ? stores.sources.map(({ dataDirectory }) => dataDirectory) : [];
  return withStoreLocks(locked, async () => {
    const plans = await plan(options, stores, world);
    const show = ({ count, all }: { count: number; all: number }) => `${count} of ${all} tags moved`;
    const progress = createProgressLine(terminal, () => performance.now(), show);
    const hold = options.freeze ? writeFreeze(options.freeze) : null;
    const { directory, offline } = options;
    const scope = { directory, offline, effects, now: startedAt, hold, terminal };
    const applied = options.apply
      ? await applyPlans(plans, scope, (count, all) => progress.update({ count, all }))
      : null;
    progress.clear();
    if (applied?.stoppedBy !== undefined)
      terminal.err(`Stopped by ${applied.stoppedBy}; the same command again goes on.\n`);
    const unreadable = stores.unreadable.map(({ name, fault: { location, reason } }) => ({
      registry: name,
      repository: null,
      reason: "unreadable" as const,
      tags: 0,
      until: null,
      text: `${location} could not be read: ${reason}.`,
    }));
    return buildReport(plans, applied, unreadable, { startedAt, finishedAt: Date.now() });
  });
}

async function plan(
  options: PlanArguments,
  stores: Stores,
  { terminal, startedAt }: World,
): Promise<readonly RegistryPlan[]> {
  const rules = await readRules(options.rules);
  const evidence = await readEvidence(rules, options, stores, startedAt);
  const clock = () => performance.now();
  const begunAt = clock();
  const progress = createProgressLine<PlanProgress>(terminal, clock, (at) =>
    describeProgress(at, clock() - begunAt),
  );
  const plans: RegistryPlan[] = [];
  for (const source of stores.sources)
    plans.push(
      await planRegistry(source, {
        findRule: createFindRule(rules.rules),
        evidence,
        budget: options,
        onProgress: progress.update,
      }),
    );
  progress.clear();
  return plans;
}

function describeProgress(
  { registry, repositories, allRepositories, tags }: PlanProgress,
  elapsedMs: number,
): string {
  const seconds = Math.ceil(((elapsedMs / repositories) * (allRepositories - repositories)) / 1000);
  return `${registry}: ${repositories} of ${allRepositories} repositories, ${tags} tags, about ${seconds} s left`;
}

function renderText(report: RetainReport, { directory, verbose }: PlanArguments): string {
  return renderPlan(report, verbose) + renderOutcome(report, directory);
}

/** The exit status that a report stands for. */
function exitCodeOf({ complete, applied, registries, refused }: RetainReport): ExitCode {
  if (!complete) return exitCodes.couldNotCheck;
  const isPlan = !applied && registries.some(({ dropped }) => dropped > 0);
  // All is done that can be, while only time is missing.
  const isRefused = refused.some(({ reason }) => reason !== "history");
  return isPlan || isRefused ? exitCodes.findings : exitCodes.clean;
}
