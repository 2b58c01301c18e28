import type { RetainProblem, RetainReport, RetainRepository } from "../../contract/retain-report.ts";
import { counted } from "../report/phrases.ts";
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
    ...renderProblems(refused),
  ].join("");
}

/** Lines of one kind that a person reads; the document has all. */
const linesAtMost = 20;

/** As many lines as a person reads, and how many more there are. */
export function firstLines(lines: readonly string[]): readonly string[] {
  const more = lines.length - linesAtMost;
  return more > 0 ? [...lines.slice(0, linesAtMost), `and ${more} more, which --json lists\n`] : lines;
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
  history: "pulls not known for long enough yet",
  freeze: "writes not held",
};

/** Problems that have one text, such as a log that is missing, are one line; of others, each has its own. */
function renderProblems(refused: readonly RetainProblem[]): readonly string[] {
  const groups = Map.groupBy(refused, ({ registry, reason, text }) =>
    JSON.stringify([registry, reason, text]),
  );
  return firstLines([...groups.values()].flatMap(renderGroup));
}

function renderGroup(group: readonly RetainProblem[]): readonly string[] {
  const [first] = group;
  if (!first) return [];
  const { registry, repository, reason, text } = first;
  const several = group.length === 1 ? "" : ` of ${group.length} repositories`;
  const where = repository === null || several !== "" ? registry : `${registry}/${repository}`;
  const tags = group.reduce((sum, one) => sum + one.tags, 0);
  const stay = tags === 1 ? "stays" : "stay";
  const verb = reason === "history" ? "waits  " : "refused";
  return [`${verb}  ${where} (${titles[reason]}, ${counted(tags, "tag")}${several} ${stay}): ${text}\n`];
}

/** What came of a plan, and what to type next. */
export function renderOutcome(report: RetainReport, directory: string): string {
  const { registries, applied, run, stayed } = report;
  const sum = (of: "kept" | "dropped" | "undecided" | "moved") =>
    registries.reduce((total, registry) => total + registry[of], 0);
  const refused = countOverBudget(report);
  const planned = sum("dropped") - refused;
  const over = refused === 0 ? "" : `${refused} stay for the budget, `;
  const counts = `${over}${sum("kept")} kept, ${sum("undecided")} undecided.\n`;
  if (!applied)
    return planned === 0
      ? `No tag goes; ${counts}`
      : `${counted(planned, "tag")} would go, ${counts}Nothing was changed. To do this, the same command with --apply.\n`;
  return [
    ...firstLines(stayed.map(({ registry, tag, text }) => `stays    ${registry}/${tag}: ${text}\n`)),
    `${sum("moved")} of ${counted(planned, "tag")} moved out of the store, ${counts}`,
    run === null ? "" : `To undo: regwarden retain ${directory} --undo ${run} --apply\n`,
  ].join("");
}

/** Tags that were to go, of which the budget lets none. */
function countOverBudget({ registries, refused }: RetainReport): number {
  const over = new Set(
    refused
      .filter(({ reason }) => reason === "budget")
      .map(({ registry, repository }) => JSON.stringify([registry, repository])),
  );
  const isOver = (registry: string, repository: string | null) =>
    over.has(JSON.stringify([registry, repository]));
  return registries
    .flatMap(({ name, repositories }) =>
      repositories.filter((repository) => isOver(name, null) || isOver(name, repository.name)),
    )
    .reduce((sum, { tags }) => sum + tags.filter(({ decision }) => decision === "drop").length, 0);
}
