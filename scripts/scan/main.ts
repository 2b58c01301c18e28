import { pushJobs } from "../../contract/cluster-names.ts";
import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import type { RegistryMode } from "../../contract/finding.ts";
import type { ScanReport } from "../../contract/scan-report.ts";
import type { Command } from "../cli/command.ts";
import { describeError, ProgramError } from "../cli/errors.ts";
import { createProgressLine } from "../cli/progress.ts";
import type { Terminal } from "../cli/terminal.ts";
import { storeFinding } from "../graph/findings.ts";
import { pushMetrics } from "../report/push-metrics.ts";
import { writeReportFile } from "../report/report-file.ts";
import { estimateBlobs } from "../source/disk/blob.ts";
import { type DiskSource, discoverRegistries } from "../source/disk/registry.ts";
import { paceOf } from "../source/pace.ts";
import { parseScanArguments, type ScanArguments, scanHelp } from "./args.ts";
import { type Choice, chooseRegistries } from "./choose.ts";
import { heapOfThread, memoryLimit, requireMemory } from "./memory.ts";
import { renderScanMetrics } from "./metrics.ts";
import { preferCopies } from "./recopy.ts";
import { buildReport, renderJson } from "./report.ts";
import { type Progress, type RegistryResult, type ScanOptions, scanRegistry } from "./scan-registry.ts";
import { renderReport } from "./text.ts";
import { startWorkerPool, usefulThreads, type WorkerPool } from "./worker-pool.ts";

/** From this many blobs on, threads take less time than their start. */
const blobsOfLargeStore = 10_000;

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

/** Scans the registries one after the other. */
export async function scanAll(
  { sources, modeOf }: Pick<Choice, "sources" | "modeOf">,
  options: ScanOptions,
  terminal: Terminal,
): Promise<readonly RegistryResult[]> {
  const progress = createProgressLine(terminal, () => performance.now(), describeProgress);
  const results: RegistryResult[] = [];
  for (const source of sources) {
    const mode = modeOf(source.name);
    const pool = startPool(source, mode, options);
    try {
      results.push(await scanRegistry(source, mode, progress.update, { ...options, pool }));
    } finally {
      await pool?.stop();
    }
  }
  progress.clear();
  return results;
}

/** Threads for a large store, as long as there is memory for it. Errors: E_OUT_OF_MEMORY. */
function startPool(source: DiskSource, mode: RegistryMode, options: ScanOptions): WorkerPool | undefined {
  const blobs = estimateBlobs(source.dataDirectory);
  const isSplittable = !options.verification && !options.repositories;
  const threads = isSplittable && blobs >= blobsOfLargeStore ? usefulThreads() : 0;
  const need = { registry: source.name, blobs, threads };
  const limit = memoryLimit();
  requireMemory(need, limit);
  if (threads === 0) return undefined;
  return startWorkerPool(source, mode, { threads, heapBytes: heapOfThread(need, limit) });
}

/** The options of {@link scanRegistry}. */
export function scanOptions({
  repositories,
  verify,
  bandwidthLimit,
}: Pick<ScanArguments, "repositories" | "verify" | "bandwidthLimit">): ScanOptions {
  const pace = paceOf(bandwidthLimit);
  const roles = new Set(verify === "layers" ? (["config", "layer"] as const) : (["config"] as const));
  return {
    repositories: repositories.length > 0 ? new Set(repositories) : undefined,
    verification: verify === "manifests" ? undefined : { roles, pace },
  };
}

/** A repository that is nowhere was not checked, which must not pass for clean. */
export function requireRepositories(asked: readonly string[], results: readonly RegistryResult[]): void {
  const checked = new Set(results.flatMap(({ repositories }) => repositories));
  const unknown = asked.filter((name) => !checked.has(name));
  if (unknown.length === 0) return;
  throw new ProgramError(
    "E_STORE_NOT_FOUND",
    `--repository ${unknown.join(", ")}: no such repository in ${results.map(({ summary }) => summary.name).join(", ")}.`,
  );
}

function reportNoReport(error: unknown, { reportPath }: ScanArguments, terminal: Terminal): never {
  if (reportPath !== undefined) terminal.err(`No report was written; ${reportPath} is as it was.\n`);
  throw error;
}

function describeProgress({ name, blobs, repositories, tags, layerLinks }: Progress): string {
  return `${name}: ${blobs} blobs, ${repositories} repositories, ${tags} tags, ${layerLinks} layer links`;
}
