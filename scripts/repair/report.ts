import {
  type RepairChange,
  type RepairOutcome,
  type RepairReport,
  repairReportSchema,
} from "../../contract/repair-report.ts";
import { changeKey, type PlannedChange } from "./change.ts";
import type { Plan } from "./plan.ts";
import type { Survey } from "./survey.ts";
import { triage } from "./triage.ts";

/** The part of the report that is known before anything is changed. */
export type PlanReport = Pick<RepairReport, "complete" | "images" | "changes" | "triage" | "problems">;

export function reportPlan({ findings, problems }: Survey, plan: Plan): PlanReport {
  const { steps, images } = plan;
  const changes: RepairChange[] = [];
  const positions = new Map<string, number>();
  for (const change of steps.flatMap((step) => step.changes))
    if (!positions.has(changeKey(change)))
      positions.set(changeKey(change), changes.push(toChange(change)) - 1);
  const changesOf = (own: readonly number[]) => {
    const found = own
      .flatMap((step) => steps[step]?.changes ?? [])
      .map((change) => positions.get(changeKey(change)));
    return [...new Set(found.filter((position) => position !== undefined))];
  };
  return {
    complete: problems.length === 0,
    images: images.map(({ steps: own, ...image }) => ({ ...image, changes: changesOf(own) })),
    changes,
    triage: triage(findings, plan),
    problems,
  };
}

function toChange({ copies: _copies, isManifest: _isManifest, ...change }: PlannedChange): RepairChange {
  return change;
}

/** Puts the document together; the clock's readings come from the caller. */
export function buildReport(
  plan: PlanReport,
  clock: Pick<RepairReport, "finishedAt" | "durationSeconds">,
  { outcome, journal }: { readonly outcome: RepairOutcome | null; readonly journal: string | null },
): RepairReport {
  return {
    schema: repairReportSchema,
    finishedAt: clock.finishedAt,
    durationSeconds: Math.round(clock.durationSeconds * 1000) / 1000,
    ...plan,
    outcome,
    journal,
  };
}

export function renderJson(report: RepairReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
