import { readFile } from "node:fs/promises";
import { breakGlassMetrics } from "../../contract/metrics.ts";
import { readGauge, renderExposition, type Sample } from "../report/exposition.ts";

type ExportSample = Sample<keyof typeof breakGlassMetrics>;

/** How many images there are, and how many of them were not copied. */
export interface Counts {
  readonly images: number;
  readonly failed: number;
}

/** The metrics of a run. When one last copied all is kept from the file that a former run left at `path`. */
export async function renderExportMetrics(
  path: string,
  { images, failed }: Counts,
  finishedAt: number,
): Promise<string> {
  const former = await readFile(path, "utf8").catch(() => "");
  const seconds = finishedAt / 1000;
  const success =
    failed === 0 ? seconds : readGauge(former, "regwarden_break_glass_success_timestamp_seconds");
  return renderExposition(breakGlassMetrics, [
    sample("regwarden_break_glass_last_run_timestamp_seconds", seconds),
    ...(success === undefined ? [] : [sample("regwarden_break_glass_success_timestamp_seconds", success)]),
    sample("regwarden_break_glass_images", images),
    sample("regwarden_break_glass_failed", failed),
  ]);
}

function sample(name: ExportSample["name"], value: number): ExportSample {
  return { name, labels: {}, value };
}
