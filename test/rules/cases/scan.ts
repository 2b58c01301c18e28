import { type AlertCase, always, fresh } from "./case.ts";

const labels = { instance: "10.0.20.10:5001", job: "scan" };
const own = (metric: string, more = "") => `${metric}{instance="10.0.20.10:5001",job="scan"${more}}`;
const lastRun = own("regwarden_scan_last_run_timestamp_seconds");
const success = own("regwarden_scan_success_timestamp_seconds");
const complete = own("regwarden_scan_complete");
const findings = (severity: string) =>
  own("regwarden_scan_findings", `,registry="private",severity="${severity}"`);

export const scanCases: readonly AlertCase[] = [
  {
    title: "the store lacks what tags need",
    alert: "RegistryScanFindings",
    input: { [findings("critical")]: always(28) },
    holdsFromMinute: 0,
    labels: { ...labels, registry: "private", severity: "critical" },
    value: "28",
    quiet: { [findings("critical")]: always(0), [findings("warning")]: always(9) },
  },
  {
    title: "the scan could not read everything",
    alert: "RegistryScanIncomplete",
    input: { [complete]: always(0) },
    holdsFromMinute: 0,
    labels,
    quiet: { [complete]: always(1) },
  },
  {
    title: "the last scan is more than 36 hours old",
    alert: "RegistryScanStale",
    input: { [lastRun]: always(0) },
    holdsFromMinute: 36 * 60 + 1,
    labels,
    quiet: { [lastRun]: fresh },
  },
  {
    title: "the scan never ran",
    alert: "RegistryScanAbsent",
    input: {},
    holdsFromMinute: 0,
    labels: {},
    quiet: { [lastRun]: always(0) },
  },
  {
    title: "scans end, and none is complete",
    alert: "RegistryScanBlind",
    input: { [success]: "0+0x6000", [lastRun]: "0+60x6000" },
    holdsFromMinute: 3 * 24 * 60 + 1,
    labels,
    quiet: { [success]: "0+60x6000" },
  },
];
