import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import type { RegistryMode, ScanReport } from "../../contract/scan-report.ts";
import type { Command } from "../command.ts";
import { describeError, ProgramError } from "../errors.ts";
import { storeFinding } from "../graph/findings.ts";
import { createProgressLine } from "../progress.ts";
import { type Discovery, discoverRegistries } from "../source/disk/registry.ts";
import type { Terminal } from "../terminal.ts";
import { parseScanArguments, type ScanArguments, scanHelp } from "./args.ts";
import { writeScanMetrics } from "./metrics.ts";
import { buildReport, renderJson } from "./report.ts";
import { writeReportFile } from "./report-file.ts";
import { type Progress, type RegistryResult, scanRegistry } from "./scan-registry.ts";
import { renderReport } from "./table.ts";

export const scanCommand: Command = {
  name: "scan",
  summary: "look through registries' storage for lost index children and dead layer links",
  help: scanHelp,
  run: async (argv, terminal) => {
    const options = parseScanArguments(argv);
    const startedAt = performance.now();
    const writeMetrics = async (report?: ScanReport) => {
      const { directory, metricsPath } = options;
      const durationSeconds = (performance.now() - startedAt) / 1000;
      const outcome = { directory, report, durationSeconds, finishedAt: Date.now() };
      if (metricsPath !== undefined) await writeScanMetrics(metricsPath, outcome);
    };
    const report = await scan(options, terminal).catch(async (error: unknown) => {
      await writeMetrics().catch((second: unknown) => terminal.err(`${describeError(second)}\n`));
      return tellNoReport(error, options, terminal);
    });
    terminal.out(options.json ? renderJson(report) : renderReport(report));
    if (options.reportPath !== undefined) await writeReportFile(options.reportPath, renderJson(report));
    await writeMetrics(report);
    return exitCodeOf(report);
  },
};

/** The exit status that a report stands for. */
function exitCodeOf({ complete, findings }: ScanReport): ExitCode {
  if (!complete) return exitCodes.couldNotLook;
  return findings.length > 0 ? exitCodes.findings : exitCodes.clean;
}

async function scan(options: ScanArguments, terminal: Terminal): Promise<ScanReport> {
  const startedAt = performance.now();
  const discovery = await discoverRegistries(options.directory);
  const modeOf = chooseModes(discovery, options.authoritative, terminal);
  const progress = createProgressLine(terminal, () => performance.now(), describeProgress);
  const results: RegistryResult[] = [];
  for (const source of discovery.sources)
    results.push(await scanRegistry(source, modeOf(source.name), progress.update));
  progress.clear();
  const doubtful = discovery.unreadable.map(({ name, fault }) => storeFinding(name, null, fault));
  return buildReport(
    results.map(({ summary }) => summary),
    [...doubtful, ...results.flatMap(({ findings }) => findings)],
    { finishedAt: new Date().toISOString(), durationSeconds: (performance.now() - startedAt) / 1000 },
  );
}

function chooseModes(
  { form, sources, unreadable }: Discovery,
  asked: readonly string[],
  terminal: Terminal,
): (name: string) => RegistryMode {
  const names = sources.map(({ name }) => name);
  const known = new Set([...names, ...unreadable.map(({ name }) => name)]);
  const unknown = asked.filter((name) => !known.has(name));
  if (unknown.length > 0)
    // Rather a store that is gone than a slip of the pen: the timers name their registries.
    throw new ProgramError(
      "E_STORE_NOT_FOUND",
      `--authoritative ${unknown.join(", ")}: there is no such store here; found ${names.join(", ")}.`,
    );
  const usual = form === "store" ? names : names.filter((name) => name === "private");
  const authoritative = new Set(asked.length > 0 ? asked : usual);
  if (authoritative.size === 0)
    terminal.err(
      "No registry is authoritative, so no index was checked for lost children: see --authoritative.\n",
    );
  return (name) => (authoritative.has(name) ? "authoritative" : "cache");
}

function tellNoReport(error: unknown, { reportPath }: ScanArguments, terminal: Terminal): never {
  if (reportPath !== undefined) terminal.err(`No report was written; ${reportPath} is as it was.\n`);
  throw error;
}

function describeProgress({ name, blobs, repositories, tags, layerLinks }: Progress): string {
  return `${name}: ${blobs} blobs, ${repositories} repositories, ${tags} tags, ${layerLinks} layer links`;
}
