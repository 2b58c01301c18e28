import { readFile } from "node:fs/promises";
import type { GcReport } from "../../contract/gc-report.ts";
import { collectMetrics } from "../../contract/metrics.ts";
import { readGauge, renderExposition, type Sample } from "../report/exposition.ts";
import { writeReportFile } from "../report/report-file.ts";

type CollectSample = Sample<keyof typeof collectMetrics>;

/** What a run came to; without a report it ended before there was one. */
export interface RunResult {
  readonly report: GcReport | undefined;
  readonly durationSeconds: number;
  /** Bytes of blobs in the quarantine, by registry. */
  readonly quarantinedBytes?: ReadonlyMap<string, number>;
}

/** Of these, a run that has nothing to say about them leaves what a former one said. */
const lasting = [
  "regwarden_collect_success_timestamp_seconds",
  "regwarden_collect_mark_timestamp_seconds",
  "regwarden_collect_proof_lost_tags",
  "regwarden_collect_freeze_seconds",
] as const;

/** Writes the metrics of a run where they were asked for. Errors: E_REPORT_UNWRITABLE. */
export async function putMetrics(
  { metricsPath }: { readonly metricsPath: string | undefined },
  result: RunResult,
): Promise<void> {
  if (metricsPath === undefined) return;
  const former = await readFile(metricsPath, "utf8").catch(() => "");
  await writeReportFile(metricsPath, renderMetrics(former, result, Date.now()), "metrics");
}

/** `former`: the text of the run before; `now`: milliseconds since 1970. */
export function renderMetrics(former: string, result: RunResult, now: number): string {
  const fresh = samplesOf(result, now / 1000);
  const said = new Set(fresh.map(({ name }) => name));
  const old = lasting.flatMap((name) => {
    const value = said.has(name) ? undefined : readGauge(former, name);
    return value === undefined ? [] : [sample(name, value)];
  });
  return renderExposition(collectMetrics, [...fresh, ...old]);
}

function samplesOf(
  { report, durationSeconds, quarantinedBytes }: RunResult,
  seconds: number,
): readonly CollectSample[] {
  const isComplete = report?.complete === true;
  return [
    sample("regwarden_collect_last_run_timestamp_seconds", seconds),
    sample("regwarden_collect_complete", isComplete ? 1 : 0),
    sample("regwarden_collect_duration_seconds", durationSeconds),
    ...(report ? reportSamples(report, seconds) : []),
    ...[...(quarantinedBytes ?? [])].map(([registry, bytes]) =>
      sample("regwarden_collect_bytes", bytes, { registry, state: "quarantined" }),
    ),
  ];
}

function reportSamples(report: GcReport, seconds: number): readonly CollectSample[] {
  const { complete, applied, registries, proof, freezeSeconds } = report;
  const isDone = complete && registries.every(isSettled(applied)) && (proof?.lost.length ?? 0) === 0;
  return [
    sample("regwarden_collect_applied", applied ? 1 : 0),
    ...(complete ? [sample("regwarden_collect_mark_timestamp_seconds", seconds)] : []),
    ...(isDone ? [sample("regwarden_collect_success_timestamp_seconds", seconds)] : []),
    ...(proof ? [sample("regwarden_collect_proof_lost_tags", proof.lost.length)] : []),
    ...(freezeSeconds === null ? [] : [sample("regwarden_collect_freeze_seconds", freezeSeconds)]),
    ...registries.flatMap(({ name: registry, kept, removed, spared, refusedFor }) => [
      ...(refusedFor ? [sample("regwarden_collect_refused", 1, { registry, reason: refusedFor })] : []),
      ...(complete
        ? [
            sample("regwarden_collect_bytes", kept.bytes, { registry, state: "needed" }),
            sample("regwarden_collect_bytes", spared.bytes + (applied && !refusedFor ? 0 : removed.bytes), {
              registry,
              state: "dead",
            }),
            sample("regwarden_collect_removed_bytes", removed.bytes, { registry }),
          ]
        : []),
    ]),
  ];
}

/** Whether nothing is left to do in a registry. */
function isSettled(applied: boolean): (registry: GcReport["registries"][number]) => boolean {
  return ({ refused, removed: { revisionLinks, layerLinks, blobs } }) =>
    refused === null && (applied || revisionLinks + layerLinks + blobs === 0);
}

function sample(
  name: CollectSample["name"],
  value: number,
  labels: CollectSample["labels"] = {},
): CollectSample {
  return { name, labels, value };
}
