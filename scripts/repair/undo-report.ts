import { relative } from "node:path";
import {
  type RepairUndoOutcome,
  type RepairUndoReport,
  type RepairUndoStep,
  repairUndoReportSchema,
  type UndoStepKind,
} from "../../contract/repair-undo-report.ts";
import { renderFindings } from "../report/finding-list.ts";
import type { UndoStep } from "../store-change/undo-plan.ts";

/** The part of the report that is known before anything is changed. */
export function reportSteps(steps: readonly UndoStep[], directory: string): readonly RepairUndoStep[] {
  return steps.map((step) => ({
    does: step.does,
    path: relative(directory, step.path),
    reason: "reason" in step ? step.reason : null,
  }));
}

/** Whether a step leaves things as they are. */
export function isStaying({ does }: Pick<RepairUndoStep, "does">): boolean {
  return does === "keep" || does === "leave";
}

/** Puts the whole document together; the clock's readings come from the caller. */
export function buildUndoReport(
  plan: Pick<RepairUndoReport, "journal" | "steps" | "outcome">,
  clock: Pick<RepairUndoReport, "finishedAt" | "durationSeconds">,
): RepairUndoReport {
  const { journal, steps, outcome } = plan;
  return {
    schema: repairUndoReportSchema,
    finishedAt: clock.finishedAt,
    durationSeconds: Math.round(clock.durationSeconds * 1000) / 1000,
    journal,
    steps,
    outcome,
  };
}

/** A line for each step, as people read it. */
export function renderSteps(steps: readonly RepairUndoStep[]): string {
  return steps.map(renderStep).join("");
}

function renderStep({ does, path, reason }: RepairUndoStep): string {
  return `${verbs[does].padEnd(verbWidth)}  ${path}${reason === null ? "" : `: ${reason}`}\n`;
}

const verbs: Readonly<Record<UndoStepKind, string>> = {
  "take-out": "take out of the store",
  "put-back": "put back what was before",
  "move-back": "move back into the store",
  "remove-directory": "remove the directory",
  "make-directory": "make the directory",
  keep: "keep",
  leave: "leave as it is",
  "put-forward": "put forward again",
};

const verbWidth = Math.max(...Object.values(verbs).map((verb) => verb.length));

/** What was done, what a scan finds now, and how to undo the undo. */
export function renderUndoOutcome(
  { steps, outcome }: Pick<RepairUndoReport, "steps" | "outcome">,
  directory: string,
): string {
  if (!outcome) return renderNothingDone(steps);
  const { done, exceptions, left, fresh, journal } = outcome;
  const changesData = steps.some((step) => !isStaying(step) && /\/blobs\/.*\/data$/.test(step.path));
  return [
    renderSteps(exceptions),
    `Done: ${done} of ${steps.length} steps.\n`,
    left.length === 0 ? "A new scan finds nothing.\n" : `A new scan finds:\n${renderFindings(left)}`,
    fresh.length === 0
      ? ""
      : `New, and found neither before this undo nor by the run that it undid:\n${renderFindings(fresh)}`,
    `What was taken out lies in ${journal}; to put all of it forward again: regwarden repair ${directory} --undo ${journal} --apply\n`,
    changesData ? "Data was changed: restart a registry that has a descriptor cache.\n" : "",
  ].join("");
}

function renderNothingDone(steps: readonly RepairUndoStep[]): string {
  if (steps.length === 0) return "Nothing to undo.\n";
  if (steps.every(isStaying)) return "Nothing was changed, as all of it stays.\n";
  return "Nothing was changed. To do this, the same command with --apply.\n";
}

/** How many of the planned steps were done, and stayed so. */
export function countDone(done: readonly string[], exceptions: RepairUndoOutcome["exceptions"]): number {
  const forward = new Set(exceptions.filter(({ does }) => does === "put-forward").map(({ path }) => path));
  return done.filter((path) => !forward.has(path)).length;
}
