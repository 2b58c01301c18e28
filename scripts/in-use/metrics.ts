import type { InUseReport } from "../../contract/in-use-report.ts";
import { inUseMetrics } from "../../contract/metrics.ts";
import { renderExposition, type Sample } from "../report/exposition.ts";

type InUseSample = Sample<keyof typeof inUseMetrics>;

/** The metrics of one registry. What is named as broken is broken, also in a run that could not check everything. */
export function renderInUseMetrics(report: InUseReport, instance: string): string {
  const own = report.registries.find(({ name }) => name === instance);
  if (!own) throw new Error(`nothing was reported of ${instance}`);
  const finished = Math.floor(Date.parse(report.finishedAt) / 1000);
  const gauge = (name: InUseSample["name"], value: number): InUseSample => ({
    name,
    labels: { instance },
    value,
  });
  return renderExposition(inUseMetrics, [
    ...brokenSamples(report, instance),
    gauge("regwarden_in_use_images", own.images),
    gauge("regwarden_in_use_workloads", own.workloads),
    gauge("regwarden_in_use_complete", own.complete ? 1 : 0),
    gauge("regwarden_in_use_duration_seconds", report.durationSeconds),
    gauge("regwarden_in_use_last_run_timestamp_seconds", finished),
    ...(own.complete ? [gauge("regwarden_in_use_success_timestamp_seconds", finished)] : []),
  ]);
}

function brokenSamples({ broken }: InUseReport, instance: string): readonly InUseSample[] {
  return broken
    .filter(({ registry }) => registry === instance)
    .flatMap(({ image, reason, workloads }) =>
      workloads.map(({ namespace, kind, name }) => ({
        name: "regwarden_in_use_broken" as const,
        labels: { instance, namespace, workload_type: kind, workload: name, image, reason },
        value: 1,
      })),
    );
}
