import { type RegistrySummary, type ScanReport, scanReportSchema } from "../../contract/scan-report.ts";
import { sortFindings } from "../graph/findings.ts";
import type { RawFinding } from "../graph/raw-finding.ts";
import { describeFindings } from "../report/describe-finding.ts";

/** Puts the report together; the clock's readings come from the caller. */
export function buildReport(
  registries: readonly RegistrySummary[],
  findings: readonly RawFinding[],
  { finishedAt, durationSeconds }: Pick<ScanReport, "finishedAt" | "durationSeconds">,
): ScanReport {
  return {
    schema: scanReportSchema,
    finishedAt,
    durationSeconds: Math.round(durationSeconds * 1000) / 1000,
    complete: !findings.some(({ cause }) => cause === "unreadable"),
    registries,
    findings: describeFindings(sortFindings(findings), "store"),
  };
}

/** The document's text. */
export function renderJson(report: ScanReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
