import type { RetainProblem, RetainReport, RetainRepository } from "../../contract/retain-report.ts";
import { renderTable } from "../report/table.ts";

/** A plan as people read it: a line for each repository of which anything goes or is undecided. */
export function renderPlan({ registries, refused }: RetainReport, verbose: boolean): string {
  const several = registries.length > 1;
  const rows = registries.flatMap(({ name, repositories }) =>
    repositories
      .filter((repository) => verbose || repository.tags.some(({ decision }) => decision !== "keep"))
      .map((repository) => describeRepository(several ? `${name}/` : "", repository)),
  );
  const head = ["REPOSITORY", "RULE", "KEEP", "DROP", "UNDECIDED", "KEPT BY"];
  return [
    rows.length > 0 ? renderTable(head, rows, new Set([1, 2, 3, 4])) : "",
    verbose ? registries.flatMap(({ repositories }) => repositories.map(renderTags)).join("") : "",
    ...refused.map(renderProblem),
  ].join("");
}

function describeRepository(prefix: string, { name, rule, tags }: RetainRepository): string[] {
  const count = (wanted: string) => tags.filter(({ decision }) => decision === wanted).length;
  const kept = Map.groupBy(
    tags.filter(({ decision }) => decision === "keep"),
    ({ by }) => by,
  );
  const reasons = [...kept].map(([by, own]) => `${by} ${own.length}`);
  const counts = ["keep", "drop", "undecided"].map((decision) => String(count(decision)));
  return [prefix + name, rule === null ? "-" : String(rule), ...counts, reasons.join(", ")];
}

function renderTags({ name, rule, tags }: RetainRepository): string {
  const by = rule === null ? "" : `rule ${rule}: `;
  return tags.map((one) => `${one.decision.padEnd(9)}  ${name}:${one.tag}  ${by}${one.text}\n`).join("");
}

const titles: Readonly<Record<RetainProblem["reason"], string>> = {
  "in-use": "in use unknown",
  "access-log": "pulls unknown",
  copied: "push times of a copy",
  clock: "clock",
  unreadable: "unreadable",
  budget: "too much at one time",
};

function renderProblem({ registry, repository, reason, tags, text }: RetainProblem): string {
  const where = repository === null ? registry : `${registry}/${repository}`;
  return `refused  ${where} (${titles[reason]}, ${tags} ${tags === 1 ? "tag stays" : "tags stay"}): ${text}\n`;
}

/** What came of a plan, and what to type next. */
export function renderOutcome(report: RetainReport, directory: string): string {
  const { registries, applied, run, stayed } = report;
  const sum = (of: "kept" | "dropped" | "undecided" | "moved") =>
    registries.reduce((total, registry) => total + registry[of], 0);
  const counts = `${sum("kept")} kept, ${sum("undecided")} undecided.\n`;
  if (!applied)
    return sum("dropped") === 0
      ? `No tag goes; ${counts}`
      : `${sum("dropped")} tags would go, ${counts}Nothing was changed. To do this, the same command with --apply.\n`;
  return [
    ...stayed.map(({ registry, tag, text }) => `stays    ${registry}/${tag}: ${text}\n`),
    `${sum("moved")} of ${sum("dropped")} tags were moved out of the store, ${counts}`,
    run === null ? "" : `To undo: regwarden retain ${directory} --undo ${run} --apply\n`,
  ].join("");
}
