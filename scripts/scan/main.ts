import { pushJobs } from "../../contract/cluster-names.ts";
import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import type { ScanReport } from "../../contract/scan-report.ts";
import type { Command } from "../cli/command.ts";
import { describeError } from "../cli/errors.ts";
import type { Terminal } from "../cli/terminal.ts";
import { storeFinding } from "../graph/findings.ts";
import { pushMetrics } from "../report/push-metrics.ts";
import { writeReportFile } from "../report/report-file.ts";
import { discoverRegistries } from "../source/disk/registry.ts";
import { paceOf } from "../source/pace.ts";
import { requireRepositories, scanAll, scanOptions } from "../store-check/check-stores.ts";
import { chooseRegistries } from "../store-check/choose-registries.ts";
import { parseScanArguments, type ScanArguments, scanHelp } from "./args.ts";
import { renderScanMetrics } from "./metrics.ts";
import { preferCopies } from "./recopy.ts";
import { buildReport, renderJson } from "./report.ts";
import { renderReport } from "./text.ts";

export const scanCommand: Command = {
  name: "scan",
  summary: "check registries' storage for everything that a tag needs",
  help: scanHelp,
  run: async (argv, terminal) => {
    const options = parseScanArguments(argv);
    const startedAt = performance.now();
    const writeMetrics = (report?: ScanReport) => putMetrics(options, startedAt, report, terminal);
    const report = await scan(options, terminal).catch(async (error: unknown) => {
      await writeMetrics().catch((second: unknown) => terminal.err(`${describeError(second)}\n`));
      return reportNoReport(error, options, terminal);
    });
    terminal.out(options.json ? renderJson(report) : renderReport(report));
    if (options.reportPath !== undefined) await writeReportFile(options.reportPath, renderJson(report));
    const isWritten = await writeMetrics(report);
    return isWritten ? exitCodeOf(report) : exitCodes.couldNotCheck;
  },
};

/** The exit status that a report stands for. */
function exitCodeOf({ complete, findings }: ScanReport): ExitCode {
  if (!complete) return exitCodes.couldNotCheck;
  return findings.length > 0 ? exitCodes.findings : exitCodes.clean;
}

/** Whether the metrics are where they were to be put. */
async function putMetrics(
  { directory, metricsPath, pushgateway, instance }: ScanArguments,
  startedAt: number,
  report: ScanReport | undefined,
  terminal: Terminal,
): Promise<boolean> {
  if (metricsPath === undefined && pushgateway === undefined) return true;
  const durationSeconds = (performance.now() - startedAt) / 1000;
  const outcome = { directory, report, durationSeconds, finishedAt: Date.now() };
  const text = await renderScanMetrics(metricsPath, outcome);
  if (metricsPath !== undefined) await writeReportFile(metricsPath, text, "metrics");
  const key = [
    ["job", pushJobs.scan],
    ["instance", instance],
  ] as const;
  return pushMetrics("scan", pushgateway, [{ key, text }], terminal);
}

async function scan(options: ScanArguments, terminal: Terminal): Promise<ScanReport> {
  const startedAt = performance.now();
  const discovery = await discoverRegistries(options.directory);
  const choice = chooseRegistries(discovery, options);
  if (choice.sources.every(({ name }) => choice.modeOf(name) === "cache"))
    terminal.err(
      "All registries are caches, so no index was checked for missing children: see --authoritative.\n",
    );
  const results = await scanAll(choice, scanOptions(options), terminal);
  requireRepositories(options.repositories, results);
  const doubtful = choice.unreadable.map(({ name, fault }) => storeFinding(name, null, fault));
  const found = results.flatMap(({ findings }) => findings);
  return buildReport(
    results.map(({ summary }) => summary),
    [...doubtful, ...(await preferCopies(found, discovery.sources, paceOf(options.bandwidthLimit)))],
    { finishedAt: new Date().toISOString(), durationSeconds: (performance.now() - startedAt) / 1000 },
  );
}

function reportNoReport(error: unknown, { reportPath }: ScanArguments, terminal: Terminal): never {
  if (reportPath !== undefined) terminal.err(`No report was written; ${reportPath} is as it was.\n`);
  throw error;
}
