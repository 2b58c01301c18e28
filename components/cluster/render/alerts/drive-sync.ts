import { type Alert, type AlertScope, hours } from "./alert.ts";

/** The copies of Drive folders. Without sites there is nothing to watch. */
export function driveSyncAlerts({ sites }: AlertScope): Alert[] {
  if (sites.length === 0) return [];
  const success = "regwarden_drive_sync_success_timestamp_seconds";
  const silent = sites.map((site) => `absent_over_time(${success}{site="${site}"}[1d])`);
  return [
    {
      name: "DriveSyncSkipped",
      expr: "regwarden_drive_sync_skipped == 1",
      for: "1h",
      severity: "warning",
      summary: "The Drive folder of {{ $labels.site }} has been empty or incomplete for an hour",
      description:
        "The site stays as it is, and gets old: nothing is copied until its required file is back.",
    },
    {
      name: "DriveSyncFailed",
      expr: "regwarden_drive_sync_failed == 1",
      for: "1h",
      severity: "warning",
      summary: "The Drive synchronisation of {{ $labels.site }} has failed for an hour",
      description: "Credentials, quota, network, or more deletions than one run may do.",
    },
    {
      name: "DriveSyncStale",
      expr: `time() - regwarden_drive_sync_last_run_timestamp_seconds > ${hours(1)}`,
      for: "15m",
      severity: "warning",
      summary: "The Drive synchronisation of {{ $labels.site }} has not run for more than an hour",
      description: "Its CronJob does not start, or cannot reach the Pushgateway.",
    },
    {
      // A run without success pushes no time of success, so the series is gone and not old.
      name: "DriveSyncNotSynchronised",
      expr: silent.join(" or "),
      for: "30m",
      severity: "critical",
      summary: "The site {{ $labels.site }} was not synchronised for a day",
      description: "No run succeeded in that time, or none ever ran.",
    },
  ];
}
