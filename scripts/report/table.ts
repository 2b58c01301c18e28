import type { Finding, ScanReport } from "../../contract/scan-report.ts";
import { nextMark } from "../graph/messages.ts";

/** Of many findings of one sort in one repository, people get this many; the JSON document has all. */
const shownOfASort = 10;

/** The report as people read it: what was looked at, then what is bad, repository by repository. */
export function renderReport(report: ScanReport): string {
  return `${renderTable(report)}\n${renderFindings(report.findings)}${renderConclusion(report)}`;
}

function renderTable({ registries, findings }: ScanReport): string {
  const head = ["REGISTRY", "MODE", "REPOSITORIES", "TAGS", "INDEXES", "LAYER LINKS", "BLOBS", "FINDINGS"];
  const rows = registries.map(({ name, mode, repositories, tags, indexes, layerLinks, blobs }) => {
    const own = findings.filter(({ registry }) => registry === name).length;
    return [name, mode, ...[repositories, tags, indexes, layerLinks, blobs, own].map(String)];
  });
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return `${[head, ...rows].map(line).join("\n")}\n`;
}

/** Findings, place by place. */
export function renderFindings(findings: readonly Finding[]): string {
  const places = Map.groupBy(
    findings,
    ({ registry, repository }) => `${registry}: ${repository ?? "the store"}`,
  );
  return [...places].map(([place, own]) => `${place}\n${renderPlace(own)}\n`).join("");
}

function renderPlace(findings: readonly Finding[]): string {
  const sorts = Map.groupBy(findings, ({ severity, kind, cause }) => `${severity}  ${kind}, ${cause}`);
  return [...sorts].map(([title, own]) => renderSort(title, own)).join("");
}

function renderSort(title: string, findings: readonly Finding[]): string {
  const shown = findings.slice(0, shownOfASort).map(({ message }) => `    - ${renderMessage(message)}\n`);
  const rest = findings.length - shown.length;
  const more = rest > 0 ? `    ... and ${rest} more of this sort; --json lists all.\n` : "";
  return `  ${title} (${findings.length})\n${shown.join("")}${more}`;
}

/** What to type stands on a line of its own and is never wrapped, so that it can be copied. */
export function renderMessage(message: string, indent = "      "): string {
  return message.replace(nextMark, `\n${indent}next: `);
}

function renderConclusion({ findings, complete, durationSeconds }: ScanReport): string {
  const critical = findings.filter(({ severity }) => severity === "critical").length;
  const counted =
    findings.length === 0 ? "No findings." : `${findings.length} findings, ${critical} of them critical.`;
  const warning = complete ? "" : " NOT COMPLETE: something could not be read.";
  return `${counted}${warning} ${durationSeconds} s\n`;
}
