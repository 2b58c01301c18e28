import { probeMetrics } from "../../contract/metrics.ts";
import type { ProbeReport } from "../../contract/probe-report.ts";
import { renderExposition, type Sample } from "../report/exposition.ts";

type ProbeSample = Sample<keyof typeof probeMetrics>;

/**
 * The metrics of one run. What was not checked has no series: no count without the catalogue, and of a run that could not
 * check everything no number of broken references unless it found some, which then is at least that many.
 */
export function renderProbeMetrics(report: ProbeReport): string {
  return renderExposition(probeMetrics, [
    ...runSamples(report),
    ...registrySamples(report),
    ...countSamples(report),
  ]);
}

type Gauge = (name: ProbeSample["name"], value: number, labels?: ProbeSample["labels"]) => ProbeSample;

function gaugeOf({ instance }: ProbeReport): Gauge {
  return (name, value, labels) => ({ name, labels: { instance, ...labels }, value });
}

function runSamples(report: ProbeReport): readonly ProbeSample[] {
  const gauge = gaugeOf(report);
  const { errors, complete, catalogueAccessible } = report;
  const finished = Math.floor(Date.parse(report.finishedAt) / 1000);
  return [
    gauge("registry_manifest_integrity_catalog_accessible", catalogueAccessible ? 1 : 0),
    gauge("registry_manifest_integrity_last_run_timestamp", finished),
    gauge("regwarden_probe_complete", complete ? 1 : 0),
    gauge("regwarden_probe_duration_seconds", report.durationSeconds),
    gauge("regwarden_probe_requests", report.requests),
    ...Object.entries(errors).map(([kind, count]) => gauge("regwarden_probe_errors", count, { kind })),
    ...(complete ? [gauge("regwarden_probe_success_timestamp_seconds", finished)] : []),
  ];
}

function registrySamples(report: ProbeReport): readonly ProbeSample[] {
  const gauge = gaugeOf(report);
  const { authenticationRequired, sentinelPresent, certificateExpiresAt } = report;
  const expiry = certificateExpiresAt === null ? null : Math.floor(Date.parse(certificateExpiresAt) / 1000);
  const values = [
    ["regwarden_probe_authentication_required", asNumber(authenticationRequired)],
    ["regwarden_probe_sentinel_present", asNumber(sentinelPresent)],
    ["regwarden_probe_certificate_expiry_timestamp_seconds", expiry],
  ] as const;
  return values.flatMap(([name, value]) => (value === null ? [] : [gauge(name, value)]));
}

function asNumber(is: boolean | null): number | null {
  return is === null ? null : is ? 1 : 0;
}

function countSamples(report: ProbeReport): readonly ProbeSample[] {
  if (!report.catalogueAccessible || report.sentinelPresent === false) return [];
  const gauge = gaugeOf(report);
  // A missing attestation hinders no pull, and copies made without attestations lack them for good.
  const broken = report.findings.filter(({ severity }) => severity === "critical");
  const byRepository = Map.groupBy(broken, ({ repository }) => repository ?? "");
  return [
    gauge("registry_manifest_integrity_repos_checked", report.repositories),
    gauge("registry_manifest_integrity_tags_checked", report.tags),
    gauge("registry_manifest_integrity_indexes_checked", report.indexes),
    ...(report.complete || broken.length > 0
      ? [gauge("registry_manifest_integrity_failures", broken.length)]
      : []),
    ...[...byRepository].map(([repository, own]) =>
      gauge("regwarden_probe_broken", own.length, { repository }),
    ),
  ];
}
