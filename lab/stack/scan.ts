import type { LabHost } from "../host/host.ts";
import { LabError } from "../machine/errors.ts";
import type { StepOptions } from "../machine/run.ts";

const unit = "regwarden-scan.service";
const reportFile = "/var/lib/regwarden/scan.json";

/** What the last scan of the host's registries says. */
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

interface Report {
  readonly finishedAt: string;
  readonly complete: boolean;
  readonly registries: readonly { readonly tags: number }[];
  readonly findings: readonly { readonly severity: string }[];
}

/** The counts of a scan report. */
export function summaryOf(report: Report): ScanSummary {
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
  const looked = `${counted(registries, "registry", "registries")}, ${counted(tags, "tag")}`;
  const counts = `${looked}, ${critical} critical, ${counted(warnings, "warning")}`;
  return summary.complete ? counts : `${counts}; not everything could be read`;
}

/** The last scan, or undefined where none has been. */
export async function lastScan(host: LabHost): Promise<ScanSummary | undefined> {
  const { stdout, exitCode } = await host.exec(`cat ${reportFile}`, { quiet: true, timeoutSeconds: 20 });
  return exitCode === 0 ? summaryOf(JSON.parse(stdout)) : undefined;
}

/**
 * Runs the scan that the host's timer runs. Findings are a result; a scan that could not look is an error.
 * The unit's own status is asked, because systemctl says 1 for every kind of failure.
 */
export async function scanNow(host: LabHost, options: StepOptions = {}): Promise<ScanSummary> {
  await host.exec(`systemctl start ${unit}`, { ...options, timeoutSeconds: 300 });
  const { stdout } = await host.exec(`systemctl show --property ExecMainStatus --value ${unit}`, {
    quiet: true,
  });
  const summary = await lastScan(host);
  if (["0", "1"].includes(stdout.trim()) && summary !== undefined) return summary;
  const journal = await host.exec(`journalctl --unit ${unit} --lines 20 --no-pager --output cat`, options);
  throw new LabError(
    "E_COMMAND_FAILED",
    `the scan ended with status ${stdout.trim()}: ${journal.stdout.trim()}`,
  );
}
