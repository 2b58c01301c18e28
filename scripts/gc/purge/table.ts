import type { GcPurgeReport, GcPurgeRun } from "../../../contract/gc-purge-report.ts";
import { renderTable } from "../../report/table.ts";
import { formatBytes } from "../table.ts";

/** What a purge did or would do, as people read it. */
export function renderPurge(report: GcPurgeReport): string {
  const { applied, runs, freedBytes, problems } = report;
  if (runs.length === 0) return "The quarantine is empty.\n";
  const rows = runs.map(({ name, decision, things, bytes }) => [
    name,
    String(things),
    formatBytes(bytes),
    (applied ? done : planned)[decision],
  ]);
  return [
    renderTable(["RUN", "THINGS", "SIZE", "WHAT"], rows, new Set([1, 2])),
    ...runs.flatMap(describePutBack),
    ...problems.map((problem) => `Could not check what is needed: ${problem}\n`),
    applied ? `Freed ${formatBytes(freedBytes)}.\n` : `This would free ${formatBytes(freedBytes)}.\n`,
    hintFor(report),
  ].join("");
}

type Phrases = Readonly<Record<GcPurgeRun["decision"], string>>;

const planned: Phrases = {
  purge: "would be removed",
  finish: "would be removed: an earlier purge was cut off",
  needed: "the store needs some of it: would be put back, the rest stays",
  "cut-off": "the collection was cut off: all of it would be put back",
  young: "stays: younger than the age",
  unknown: "stays: what the store needs could not be checked",
};

const done: Phrases = {
  purge: "removed",
  finish: "removed: an earlier purge was cut off",
  needed: "the store needs some of it: put back, the rest stays",
  "cut-off": "the collection was cut off: all of it was put back",
  young: planned.young,
  unknown: planned.unknown,
};

function describePutBack({ putBack }: GcPurgeRun): readonly string[] {
  return putBack.map(({ path, reason }) => `${path}: needed by ${reason}\n`);
}

function hintFor({ applied, runs }: GcPurgeReport): string {
  const isLeftToDo = runs.some(({ decision }) => decision !== "young" && decision !== "unknown");
  if (applied || !isLeftToDo) return "";
  return "Nothing was changed. To do this, the same command with --apply.\n";
}
