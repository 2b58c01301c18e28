/** Names in the cluster and in the Pushgateway. */

/** CronJobs of the programs; a pod's container has the same name. The probe's is that of the former probe. */
export const cronJobs = { probe: "registry-integrity-probe", inUse: "registry-in-use" } as const;

/** ConfigMap (or PrometheusRule) of the alert rules, and ConfigMap of the dashboard. */
export const alertRulesName = "regwarden-alerts";
export const dashboardName = "regwarden-dashboard";

/** ScrapeConfig of a job, or (with `jobs`) the ConfigMap of all of them. */
export const scrapeName = (job: string): string => `regwarden-scrape-${job}`;

/** ConfigMap that says which stack the namespace's objects belong to. */
export const ownerName = "regwarden-owner";

/** Label `job` of what is pushed: with `instance`, `stack` or `site` it names a group of the Pushgateway. */
export const pushJobs = {
  probe: cronJobs.probe,
  inUse: cronJobs.inUse,
  scan: "regwarden-scan",
  drift: "drift-detection",
  driveSync: "regwarden-drive-sync",
} as const;
