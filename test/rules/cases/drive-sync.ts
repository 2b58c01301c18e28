import { type AlertCase, always, fresh } from "./case.ts";

const labels = { site: "blog" };
const own = (metric: string, site = "blog") => `regwarden_drive_sync_${metric}{site="${site}"}`;

export const driveSyncCases: readonly AlertCase[] = [
  {
    title: "the guard holds a site back",
    alert: "DriveSyncSkipped",
    input: { [own("skipped")]: always(1), [own("failed")]: always(0) },
    holdsFromMinute: 0,
    labels,
    quiet: { [own("skipped")]: "1+0x30 0+0x3000" },
  },
  {
    title: "runs fail",
    alert: "DriveSyncFailed",
    input: { [own("failed")]: always(1), [own("skipped")]: always(0) },
    holdsFromMinute: 0,
    labels,
    quiet: { [own("failed")]: "1+0x30 0+0x3000" },
  },
  {
    title: "the last run is more than an hour old",
    alert: "DriveSyncStale",
    input: { [own("last_run_timestamp_seconds")]: always(0) },
    holdsFromMinute: 61,
    labels,
    quiet: { [own("last_run_timestamp_seconds")]: fresh },
  },
  {
    title: "one site of two is never synchronised",
    alert: "DriveSyncNotSynchronised",
    input: { [own("success_timestamp_seconds", "wiki")]: fresh },
    holdsFromMinute: 0,
    labels,
    quiet: { [own("success_timestamp_seconds", "wiki")]: fresh, [own("success_timestamp_seconds")]: fresh },
  },
];
