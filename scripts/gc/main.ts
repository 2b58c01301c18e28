import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import type { Command } from "../cli/command.ts";
import type { Terminal } from "../cli/terminal.ts";
import { createMarkEngines } from "../mark/mark-engine.ts";
import { createEffects, type Effects } from "../store-change/effects.ts";
import { withStoreLocks } from "../store-change/store-lock.ts";
import { applyPlan, putBackFormer, quarantinedBytes } from "./apply.ts";
import { type GcArguments, gcHelp, parseGcArguments } from "./args.ts";
import { exitCodeOf } from "./exit-code.ts";
import { findStores } from "./find-stores.ts";
import { runGate } from "./gate/run-gate.ts";
import { putMetrics } from "./metrics.ts";
import type { GcOutcome } from "./outcome.ts";
import { markOptionsOf, type Planned, planStores, type Run } from "./plan-stores.ts";
import { putPurgeMetrics } from "./purge/metrics.ts";
import { runGcPurge } from "./purge/run-purge.ts";
import { buildReport, renderJson } from "./report.ts";
import { mergesReports, runMerge } from "./run-merge.ts";
import { renderReport } from "./table.ts";
import { runGcUndo } from "./undo/run-undo.ts";
import { runGcWatch } from "./watch/run-watch.ts";

export const gcCommand: Command = {
  name: "gc",
  summary: "remove what no tag needs, into a quarantine from where it can be put back",
  help: gcHelp,
  run: (argv, terminal) => runGc(argv, terminal, createEffects()),
};

/** One run with the given way to touch the disk. */
export async function runGc(
  argv: readonly string[],
  terminal: Terminal,
  effects: Effects,
): Promise<ExitCode> {
  if (mergesReports(argv)) return runMerge(argv, terminal);
  const options = parseGcArguments(argv);
  const { mode } = options;
  switch (mode.does) {
    case "gate":
      return runGate(options, terminal);
    case "collect":
      return runCollection(options, terminal, effects);
    case "undo":
      return runGcUndo({ ...options, undo: mode.run }, terminal, effects);
    case "purge":
      return purge(options, mode.ageMs, terminal, effects);
    case "watch":
      return runGcWatch(options, terminal, effects);
  }
}

async function runCollection(options: GcArguments, terminal: Terminal, effects: Effects): Promise<ExitCode> {
  const startedAt = performance.now();
  const begun = new Date().toISOString();
  const seconds = () => (performance.now() - startedAt) / 1000;
  try {
    const stores = await findStores(options);
    const run: Run = { options, stores, terminal, effects };
    const { planned, outcome } = options.apply
      ? await planAndApply(run)
      : { ...(await plan(run)), outcome: null };
    const report = buildReport(planned.registries, outcome, {
      shard: options.shard,
      isComplete: stores.unreadable.length === 0 && planned.faults.length === 0,
      startedAt: begun,
      finishedAt: new Date().toISOString(),
      durationSeconds: seconds(),
    });
    for (const text of [...stores.unreadable, ...planned.faults]) terminal.err(`${text}\n`);
    terminal.out(options.json ? renderJson(report) : renderReport(report, options.directory));
    // For the metrics alone every journal of the quarantine is read.
    if (options.metricsPath !== undefined)
      await putMetrics(options, {
        report,
        durationSeconds: seconds(),
        quarantinedBytes: await quarantinedBytes(run),
      });
    return outcome?.interruptedBy ? exitCodes.couldNotCheck : exitCodeOf(report);
  } catch (error) {
    await putMetrics(options, { report: undefined, durationSeconds: seconds() }).catch(() => {});
    throw error;
  }
}

async function plan(run: Run): Promise<{ readonly planned: Planned }> {
  return { planned: await planStores(run) };
}

/** The locks are taken before the mark: what another run moves meanwhile would make the plan wrong. */
function planAndApply(run: Run): Promise<{ readonly planned: Planned; readonly outcome: GcOutcome }> {
  const directories = run.stores.collected.map(({ dataDirectory }) => dataDirectory);
  const engines = createMarkEngines();
  const work = async () => {
    await putBackFormer(run);
    const planned = await planStores(run, engines);
    return { planned, outcome: await applyPlan(planned, run) };
  };
  return withStoreLocks(directories, work).finally(engines.stop);
}

/** What a purge goes by is what a collection would: digests in use, and those that were overwritten lately. */
async function purge(
  options: GcArguments,
  ageMs: number,
  terminal: Terminal,
  effects: Effects,
): Promise<ExitCode> {
  const { metricsPath } = options;
  try {
    const mark = { ...(await markOptionsOf(options, await findStores(options))), shard: undefined };
    const { exitCode, report } = await runGcPurge({ ...options, ageMs, mark }, terminal, effects);
    await putPurgeMetrics(metricsPath, report);
    return exitCode;
  } catch (error) {
    await putPurgeMetrics(metricsPath, undefined).catch(() => {});
    throw error;
  }
}
