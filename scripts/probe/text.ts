import type { ProbeReport } from "../../contract/probe-report.ts";
import { renderFindings, renderSentences } from "../report/finding-list.ts";
import { conclude, counted } from "../report/phrases.ts";
import type { Counts } from "./probe-registry.ts";

/** What a probe has checked, also while it goes on. */
export function describeCounts({ repositories, tags, indexes }: Counts): string {
  return [
    counted(repositories, "repository", "repositories"),
    counted(tags, "tag"),
    counted(indexes, "index", "indexes"),
  ].join(", ");
}

/** The report as people read it. */
export function renderProbeReport(report: ProbeReport): string {
  const { repositories, tags, indexes, requests, errors, durationSeconds, shard } = report;
  const part = shard ? ` (part ${shard.index} of ${shard.count})` : "";
  const problems = report.problems.map((problem) => `  - ${renderSentences(problem, "    ")}\n`).join("");
  const failed = Object.entries(errors)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`);
  return [
    `${report.instance}${part}: ${describeCounts({ repositories, tags, indexes })}; `,
    `${counted(requests, "request")} in ${durationSeconds} s\n`,
    problems === "" ? "" : `the registry itself\n${problems}`,
    renderFindings(report.findings),
    renderConclusion(report),
    failed.length === 0 ? "" : `Failed requests: ${failed.join(", ")}.\n`,
  ].join("");
}

function renderConclusion({ findings, problems, complete }: ProbeReport): string {
  const known = findings.filter(({ cause }) => cause !== "unreadable");
  const critical = known.filter(({ severity }) => severity === "critical").length;
  const broken = known.length === 0 ? null : `${known.length} broken, ${critical} of them critical.`;
  const more = problems.length > 0 ? ` ${counted(problems.length, "problem")} of the registry itself.` : "";
  return `${conclude(broken, complete)}${more}\n`;
}
