import { units } from "../../contract/host-names.ts";
import { reportDirectory, scanFiles } from "../../contract/host-paths.ts";
import type { ScanReport } from "../../contract/scan-report.ts";
import type { LabHost } from "../host/host.ts";
import { LabError } from "../machine/errors.ts";
import type { StepOptions } from "../machine/run.ts";

/** Counts of a scan of the host's registries. */
export interface ScanSummary {
  /** ISO 8601. */
  readonly finishedAt: string;
  /** False when something could not be read. */
  readonly complete: boolean;
  readonly registries: number;
  readonly tags: number;
  readonly critical: number;
  readonly warnings: number;
}

/** The parts of a scan report that are counted. */
interface CountedReport extends Pick<ScanReport, "finishedAt" | "complete"> {
  readonly registries: readonly { readonly tags: number }[];
  readonly findings: readonly { readonly severity: string }[];
}

/** The counts of a scan report. */
export function summaryOf(report: CountedReport): ScanSummary {
  const count = (severity: string) =>
    report.findings.filter((finding) => finding.severity === severity).length;
  return {
    finishedAt: report.finishedAt,
    complete: report.complete,
    registries: report.registries.length,
    tags: report.registries.reduce((sum, { tags }) => sum + tags, 0),
    critical: count("critical"),
    warnings: count("warning"),
  };
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** One line for people. */
export function scanLine(summary: ScanSummary): string {
  const { registries, tags, critical, warnings } = summary;
  const checked = `${counted(registries, "registry", "registries")}, ${counted(tags, "tag")}`;
  const counts = `${checked}, ${critical} critical, ${counted(warnings, "warning")}`;
  return summary.complete ? counts : `${counts}; not everything could be checked`;
}

/** The last scan, or undefined where there has been none. */
export async function lastScan(host: LabHost): Promise<ScanSummary | undefined> {
  const command = `cat ${reportDirectory}/${scanFiles.report}`;
  const { stdout, exitCode } = await host.exec(command, { quiet: true, timeoutSeconds: 20 });
  return exitCode === 0 ? summaryOf(JSON.parse(stdout)) : undefined;
}

/**
 * Runs the scan that the host's timer runs. Findings are a result; a scan that could not check is an error. Its exit
 * code is read from the unit, because systemctl exits with 1 for every kind of failure.
 */
export async function scanNow(host: LabHost, options: StepOptions = {}): Promise<ScanSummary> {
  await host.exec(`systemctl start ${units.scan}`, { ...options, timeoutSeconds: 300 });
  const show = `systemctl show --property ExecMainStatus --value ${units.scan}`;
  const status = (await host.exec(show, { quiet: true })).stdout.trim();
  const summary = await lastScan(host);
  if (["0", "1"].includes(status) && summary !== undefined) return summary;
  const log = `journalctl --unit ${units.scan} --lines 20 --no-pager --output cat`;
  const journal = await host.exec(log, options);
  throw new LabError("E_COMMAND_FAILED", `the scan ended with status ${status}: ${journal.stdout.trim()}`);
}
