import type { ProbeReport } from "../../contract/probe-report.ts";
import { renderFindings, renderSentences } from "../report/finding-list.ts";

/** The report as people read it. */
export function renderProbeReport(report: ProbeReport): string {
  const { repositories, tags, indexes, requests, errors, durationSeconds, shard } = report;
  const part = shard ? ` (part ${shard.index} of ${shard.count})` : "";
  const problems = report.problems.map((problem) => `  - ${renderSentences(problem, "    ")}\n`).join("");
  const failed = Object.entries(errors)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`);
  return [
    `${report.instance}${part}: ${repositories} repositories, ${tags} tags, ${indexes} indexes; `,
    `${requests} requests in ${durationSeconds} s\n`,
    problems === "" ? "" : `the registry itself\n${problems}`,
    renderFindings(report.findings),
    renderConclusion(report),
    failed.length === 0 ? "" : `Failed requests: ${failed.join(", ")}.\n`,
  ].join("");
}

function renderConclusion({ findings, problems, complete }: ProbeReport): string {
  const known = findings.filter(({ cause }) => cause !== "unreadable");
  const critical = known.filter(({ severity }) => severity === "critical").length;
  const counted =
    known.length === 0 ? "Nothing found broken." : `${known.length} broken, ${critical} of them critical.`;
  const more = problems.length > 0 ? ` ${problems.length} problems of the registry itself.` : "";
  return `${counted}${more}${complete ? "" : " NOT COMPLETE: something could not be checked."}\n`;
}
