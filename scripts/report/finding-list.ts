import type { Finding } from "../../contract/finding.ts";
import type { Sentences } from "./describe-finding.ts";

/** Of many findings of one sort in one repository, people get this many; the JSON document has all. */
const shownOfASort = 10;

/** Findings for people, repository by repository. */
export function renderFindings(findings: readonly Finding[]): string {
  const byRepository = Map.groupBy(
    findings,
    ({ registry, repository }) => `${registry}: ${repository ?? "the store"}`,
  );
  return [...byRepository].map(([name, own]) => `${name}\n${renderSorts(own)}\n`).join("");
}

function renderSorts(findings: readonly Finding[]): string {
  const sorts = Map.groupBy(findings, ({ severity, kind, cause }) => `${severity}  ${kind}, ${cause}`);
  return [...sorts].map(([title, own]) => renderSort(title, own)).join("");
}

function renderSort(title: string, findings: readonly Finding[]): string {
  const shown = findings.slice(0, shownOfASort).map((finding) => `    - ${renderSentences(finding)}\n`);
  const rest = findings.length - shown.length;
  const more = rest > 0 ? `    ... and ${rest} more of this sort; --json lists all.\n` : "";
  return `  ${title} (${findings.length})\n${shown.join("")}${more}`;
}

/** The hint stands on a line of its own and is never wrapped, so that commands can be copied. */
export function renderSentences({ message, hint }: Sentences, indent = "      "): string {
  return `${message}\n${indent}hint: ${hint}`;
}
