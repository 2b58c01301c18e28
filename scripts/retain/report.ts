import {
  type RetainRefusal,
  type RetainReport,
  type RetainRepository,
  type RetainTag,
  retainReportSchema,
} from "../../contract/retain-report.ts";
import type { Applied } from "./apply.ts";
import type { RegistryPlan, RepositoryPlan } from "./plan.ts";
import type { Decision } from "./tag.ts";

/** Reasons for which tags stay although all was read that there is. */
const knownReasons: ReadonlySet<RetainRefusal> = new Set(["budget", "copied", "history"]);

interface Clock {
  readonly startedAt: number;
  readonly finishedAt: number;
}

/** The document of a plan, and of what came of it. `applied`: null without `--apply`. */
export function buildReport(
  plans: readonly RegistryPlan[],
  applied: Applied | null,
  more: RetainReport["refused"],
  { startedAt, finishedAt }: Clock,
): RetainReport {
  const refused = [...more, ...plans.flatMap((plan) => plan.refused), ...(applied?.refused ?? [])];
  const isKnown = refused.every(({ reason }) => knownReasons.has(reason));
  return {
    schema: retainReportSchema,
    startedAt: toTime(startedAt),
    finishedAt: toTime(finishedAt),
    durationSeconds: Math.round(finishedAt - startedAt) / 1000,
    run: applied?.run ?? null,
    applied: applied !== null,
    complete: isKnown && applied?.stoppedBy === undefined,
    freezeSeconds: applied?.freezeSeconds ?? null,
    registries: plans.map((plan) => reportRegistry(plan, applied)),
    refused,
    stayed: applied?.stayed ?? [],
  };
}

function reportRegistry({ source, repositories }: RegistryPlan, applied: Applied | null) {
  const tags = repositories.flatMap(({ decisions }) => decisions);
  const count = (wanted: string) => tags.filter(({ decision }) => decision === wanted).length;
  return {
    name: source.name,
    kept: count("keep"),
    dropped: count("drop"),
    undecided: count("undecided"),
    moved: applied?.moved.get(source.name) ?? 0,
    repositories: repositories.map(reportRepository),
  };
}

function reportRepository({ name, rule, decisions }: RepositoryPlan): RetainRepository {
  const number = rule?.number ?? null;
  return { name, rule: number, tags: decisions.map((decision) => reportTag(decision, number)) };
}

function reportTag({ name, tag, decision, by, text }: Decision, rule: number | null): RetainTag {
  return {
    tag: name,
    digest: tag?.digest ?? null,
    pushedAt: tag && Number.isFinite(tag.pushedAt) ? toTime(tag.pushedAt) : null,
    decision,
    by,
    rule,
    text,
  };
}

function toTime(time: number): string {
  return new Date(time).toISOString();
}
