import { readFile } from "node:fs/promises";
import type { GcPurgeReport } from "../../../contract/gc-purge-report.ts";
import { purgeMetrics } from "../../../contract/metrics.ts";
import { readGauge, renderExposition } from "../../report/exposition.ts";
import { writeReportFile } from "../../report/report-file.ts";

/**
 * Writes the metrics of a purge where they were asked for; without a report it ended before there was one.
 *
 * Errors: E_REPORT_UNWRITABLE.
 */
export async function putPurgeMetrics(
  path: string | undefined,
  report: GcPurgeReport | undefined,
): Promise<void> {
  if (path === undefined) return;
  const former = await readFile(path, "utf8").catch(() => "");
  await writeReportFile(path, renderPurgeMetrics(former, report, Date.now() / 1000), "metrics");
}

/** `former`: the text of the run before; `now`: seconds since 1970. */
export function renderPurgeMetrics(former: string, report: GcPurgeReport | undefined, now: number): string {
  const isDone = report?.applied === true && report.complete;
  const success = isDone ? now : readGauge(former, "regwarden_purge_success_timestamp_seconds");
  const putBack = report?.applied ? report.runs.reduce((sum, run) => sum + run.putBack.length, 0) : 0;
  return renderExposition(purgeMetrics, [
    sample("regwarden_purge_last_run_timestamp_seconds", now),
    sample("regwarden_purge_complete", report?.complete === true ? 1 : 0),
    ...(success === undefined ? [] : [sample("regwarden_purge_success_timestamp_seconds", success)]),
    ...(report
      ? [
          sample("regwarden_purge_freed_bytes", report.applied ? report.freedBytes : 0),
          sample("regwarden_purge_put_back", putBack),
        ]
      : []),
  ]);
}

function sample(name: keyof typeof purgeMetrics, value: number) {
  return { name, labels: {}, value };
}
