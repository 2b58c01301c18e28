import { readFile, statfs } from "node:fs/promises";
import { severities } from "../../contract/finding.ts";
import { scanMetrics } from "../../contract/metrics.ts";
import type { ScanReport } from "../../contract/scan-report.ts";
import { readGauge, renderExposition, type Sample } from "../report/exposition.ts";

type ScanSample = Sample<keyof typeof scanMetrics>;

/** What a scan came to; without a report it ended before there was one. */
interface Outcome {
  readonly directory: string;
  readonly report: ScanReport | undefined;
  readonly durationSeconds: number;
  /** Milliseconds since 1970. */
  readonly finishedAt: number;
}

/**
 * The metrics of a scan. One that could not check says that, and, where a former run left it in the file `formerPath`,
 * when the last one could; it counts nothing.
 */
export async function renderScanMetrics(formerPath: string | undefined, outcome: Outcome): Promise<string> {
  const former = formerPath === undefined ? "" : await readFile(formerPath, "utf8").catch(() => "");
  const lastSuccess = readGauge(former, "regwarden_scan_success_timestamp_seconds");
  const samples = [...samplesOf(outcome, lastSuccess), ...(await fileSystemSamples(outcome.directory))];
  return renderExposition(scanMetrics, samples);
}

function samplesOf(
  { report, durationSeconds, finishedAt }: Outcome,
  lastSuccess: number | undefined,
): readonly ScanSample[] {
  const seconds = finishedAt / 1000;
  const isComplete = report?.complete === true;
  const success = isComplete ? seconds : lastSuccess;
  return [
    sample("regwarden_scan_complete", isComplete ? 1 : 0),
    sample("regwarden_scan_last_run_timestamp_seconds", seconds),
    sample("regwarden_scan_duration_seconds", report?.durationSeconds ?? durationSeconds),
    ...(success === undefined ? [] : [sample("regwarden_scan_success_timestamp_seconds", success)]),
    ...(isComplete ? countSamples(report) : []),
  ];
}

function countSamples({ registries, findings }: ScanReport): readonly ScanSample[] {
  return registries.flatMap(({ name: registry, bytes }) => [
    sample("regwarden_scan_blob_bytes", bytes, { registry }),
    ...severities.map((severity) => {
      const own = findings.filter(
        (finding) => finding.registry === registry && finding.severity === severity,
      );
      return sample("regwarden_scan_findings", own.length, { registry, severity });
    }),
  ]);
}

/** Free is what the registry's own account may still use. */
async function fileSystemSamples(directory: string): Promise<readonly ScanSample[]> {
  const found = await statfs(directory).catch(() => undefined);
  if (!found) return [];
  return [
    sample("regwarden_scan_filesystem_free_bytes", found.bavail * found.bsize),
    sample("regwarden_scan_filesystem_size_bytes", found.blocks * found.bsize),
  ];
}

function sample(name: ScanSample["name"], value: number, labels: ScanSample["labels"] = {}): ScanSample {
  return { name, labels, value };
}
