import { readFile } from "node:fs/promises";
import { retainMetrics } from "../../contract/metrics.ts";
import { type RetainReport, retainDecisions, retainRefusals } from "../../contract/retain-report.ts";
import { readGauge, renderExposition, type Sample } from "../report/exposition.ts";

type RetainSample = Sample<keyof typeof retainMetrics>;

/** What a run came to; without a report it ended before there was one. */
interface Outcome {
  readonly report: RetainReport | undefined;
  readonly startedAt: number;
  readonly finishedAt: number;
}

/** The metrics of a run. The time of the last success comes from the file `formerPath` where this run is none. */
export async function renderRetainMetrics(formerPath: string, outcome: Outcome): Promise<string> {
  const former = await readFile(formerPath, "utf8").catch(() => "");
  const { report, startedAt, finishedAt } = outcome;
  const isComplete = report?.complete === true;
  const success = isComplete
    ? finishedAt / 1000
    : readGauge(former, "regwarden_retain_success_timestamp_seconds");
  const freezeSeconds = report?.freezeSeconds ?? readGauge(former, "regwarden_retain_freeze_seconds");
  return renderExposition(retainMetrics, [
    sample("regwarden_retain_complete", isComplete ? 1 : 0),
    sample("regwarden_retain_applied", report?.applied ? 1 : 0),
    sample("regwarden_retain_last_run_timestamp_seconds", finishedAt / 1000),
    sample("regwarden_retain_duration_seconds", (finishedAt - startedAt) / 1000),
    ...(success === undefined ? [] : [sample("regwarden_retain_success_timestamp_seconds", success)]),
    ...(freezeSeconds === undefined ? [] : [sample("regwarden_retain_freeze_seconds", freezeSeconds)]),
    ...(report ? countSamples(report) : []),
  ]);
}

function countSamples({ registries, refused }: RetainReport): readonly RetainSample[] {
  return registries.flatMap((registry) => {
    const { name, kept, dropped, undecided, moved } = registry;
    const counts = { keep: kept, drop: dropped, undecided };
    return [
      ...retainDecisions.map((decision) =>
        sample("regwarden_retain_tags", counts[decision], { registry: name, decision }),
      ),
      sample("regwarden_retain_moved", moved, { registry: name }),
      ...historySamples(name, refused),
      ...retainRefusals.map((reason) => {
        const own = refused.filter((one) => one.registry === name && one.reason === reason);
        return sample("regwarden_retain_refused", own.length, { registry: name, reason });
      }),
    ];
  });
}

function historySamples(registry: string, refused: RetainReport["refused"]): readonly RetainSample[] {
  const times = refused.flatMap((one) =>
    one.registry === registry && one.until !== null ? [Date.parse(one.until) / 1000] : [],
  );
  if (times.length === 0) return [];
  return [sample("regwarden_retain_history_timestamp_seconds", Math.max(...times), { registry })];
}

function sample(
  name: RetainSample["name"],
  value: number,
  labels: RetainSample["labels"] = {},
): RetainSample {
  return { name, labels, value };
}
