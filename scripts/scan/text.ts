import type { ScanReport } from "../../contract/scan-report.ts";
import { renderFindings } from "../report/finding-list.ts";
import { counted, warningOf } from "../report/phrases.ts";
import { renderTable } from "../report/table.ts";

/** The report as people read it: what was checked, then what is bad, repository by repository. */
export function renderReport(report: ScanReport): string {
  return `${renderRegistries(report)}\n${renderFindings(report.findings)}${renderConclusion(report)}`;
}

function renderRegistries({ registries, findings }: ScanReport): string {
  const head = ["REGISTRY", "MODE", "REPOSITORIES", "TAGS", "INDEXES", "LAYER LINKS", "BLOBS", "FINDINGS"];
  const rows = registries.map(({ name, mode, repositories, tags, indexes, layerLinks, blobs }) => {
    const own = findings.filter(({ registry }) => registry === name).length;
    return [name, mode, ...[repositories, tags, indexes, layerLinks, blobs, own].map(String)];
  });
  return renderTable(head, rows, new Set([2, 3, 4, 5, 6, 7]));
}

function renderConclusion({ findings, complete, durationSeconds }: ScanReport): string {
  const critical = findings.filter(({ severity }) => severity === "critical").length;
  const found = `${counted(findings.length, "finding")}, ${critical} of them critical.`;
  // What could not be read is a finding itself.
  return `${warningOf(complete)}${findings.length === 0 ? "No findings." : found} ${durationSeconds} s\n`;
}
