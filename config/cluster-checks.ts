import type { ClusterConfig } from "./cluster-schema.ts";
import type { Fault } from "./faults.ts";

/** Rules that join several keys of the cluster. What is off is not looked at. */
export function clusterFaults(cluster: ClusterConfig | undefined): Fault[] {
  if (cluster === undefined || !cluster.enabled) return [];
  return [...runbookFaults(cluster), ...siteNameFaults(cluster), ...pushFaults(cluster)];
}

function runbookFaults({ alerts }: ClusterConfig): Fault[] {
  if (alerts.runbookBaseUrl !== undefined) return [];
  return [
    {
      key: "cluster.alerts.runbookBaseUrl",
      value: "(missing)",
      rule: "the URL at which people read docs/runbook.md: every alert links to its entry",
      example: "https://git.example.com/infra/regwarden/docs/runbook.md",
    },
  ];
}

function siteNameFaults({ driveSync: { sites } }: ClusterConfig): Fault[] {
  return sites.flatMap(({ name }, at) => {
    const first = sites.findIndex((site) => site.name === name);
    if (first === at) return [];
    const rule = `a name of its own: regwarden:cluster.driveSync.sites[${first}].name is the same`;
    const key = `cluster.driveSync.sites[${at}].name`;
    return [{ key, value: JSON.stringify(name), rule, example: `${name}-2` }];
  });
}

// What the rclone image can push with speaks no TLS.
function pushFaults({ driveSync: { sites }, pushgatewayUrl }: ClusterConfig): Fault[] {
  if (sites.length === 0 || pushgatewayUrl.startsWith("http://")) return [];
  return [
    {
      key: "cluster.pushgatewayUrl",
      value: JSON.stringify(pushgatewayUrl),
      rule: "an http URL while there are sites to synchronise",
      example: "http://pushgateway.monitoring:9091",
    },
  ];
}
