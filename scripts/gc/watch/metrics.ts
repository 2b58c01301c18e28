import { readFile } from "node:fs/promises";
import { restoreMetrics } from "../../../contract/metrics.ts";
import { readGauge, renderExposition } from "../../report/exposition.ts";
import { writeReportFile } from "../../report/report-file.ts";

/** How much was put back, over all starts of the watch. */
export interface Counter {
  readonly add: (things: number) => Promise<void>;
  /** Says in the metrics that the watch lives. Errors: E_REPORT_UNWRITABLE. */
  readonly write: () => Promise<void>;
}

/** Goes on from what a former start left in the file. */
export async function openCounter(path: string | undefined): Promise<Counter> {
  const former = path === undefined ? "" : await readFile(path, "utf8").catch(() => "");
  let restored = readGauge(former, "regwarden_collect_restored_total") ?? 0;
  const write = async () => {
    if (path === undefined) return;
    const text = renderExposition(restoreMetrics, [
      { name: "regwarden_collect_restored_total", labels: {}, value: restored },
      { name: "regwarden_collect_watch_timestamp_seconds", labels: {}, value: Date.now() / 1000 },
    ]);
    await writeReportFile(path, text, "metrics");
  };
  return {
    write,
    add: async (things) => {
      restored += things;
      await write();
    },
  };
}
