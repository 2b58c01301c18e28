import type { Rule } from "./rules.ts";

const label: Rule = {
  rule: "a DNS label: lower-case letters, digits and dashes, at most 63",
  example: "monitoring",
};
const cron: Rule = { rule: "a cron expression of five fields, UTC", example: "*/15 * * * *" };
const memory: Rule = {
  rule: "an amount of memory with unit M, Mi, G or Gi, at least 64Mi",
  example: "256Mi",
};
const trueOrFalse: Rule = { rule: "true or false", example: "true" };
const url: Rule = {
  rule: "a URL: http or https, no credentials, no trailing slash",
  example: "http://pushgateway.monitoring:9091",
};
const site = "cluster.driveSync.sites[]";
const siteExample =
  '{"name": "blog", "namespace": "blog", "source": "gdrive:blog", "requiredFile": "index.html", "claim": "blog-content"}';

/** Texts for the key `cluster`; see RULES. */
export const CLUSTER_RULES: Readonly<Record<string, Rule>> = {
  cluster: { rule: "an object", example: '{"enabled": true}' },
  "cluster.enabled": trueOrFalse,
  "cluster.kubeconfigContext": { rule: "the name of a context of the kubeconfig", example: "home" },
  "cluster.namespace": label,
  "cluster.createNamespace": trueOrFalse,
  "cluster.pushgatewayUrl": url,
  "cluster.probe": { rule: "an object", example: '{"schedule": "*/15 * * * *"}' },
  "cluster.probe.schedule": cron,
  "cluster.probe.shards": { rule: "a whole number from 1 to 64", example: "1" },
  "cluster.probe.instance": {
    rule: "the registry as metrics and alerts name it: HOST or HOST:PORT",
    example: "registry.example.com:5050",
  },
  "cluster.probe.memoryLimit": memory,
  "cluster.inUse": { rule: "an object", example: '{"enabled": true}' },
  "cluster.inUse.enabled": trueOrFalse,
  "cluster.inUse.schedule": { ...cron, example: "7-59/15 * * * *" },
  "cluster.inUse.memoryLimit": memory,
  "cluster.alerts": { rule: "an object", example: '{"as": "prometheusRule"}' },
  "cluster.alerts.as": {
    rule: "prometheusRule where the Prometheus operator runs, configMap where not",
    example: "prometheusRule",
  },
  "cluster.alerts.runbookBaseUrl": {
    ...url,
    example: "https://git.example.com/infra/regwarden/docs/runbook.md",
  },
  "cluster.alerts.labels": { rule: "a list of labels KEY=VALUE", example: '["release=prometheus"]' },
  "cluster.alerts.labels[]": { rule: "a label KEY=VALUE", example: "release=prometheus" },
  "cluster.dashboard": { rule: "an object", example: '{"enabled": true}' },
  "cluster.dashboard.enabled": trueOrFalse,
  "cluster.driveSync": { rule: "an object", example: '{"sites": []}' },
  "cluster.driveSync.image": {
    rule: "an image reference that cannot move: a tag with a full x.y.z version, or an @sha256: digest",
    example: "rclone/rclone:1.74.3",
  },
  "cluster.driveSync.sites": { rule: "a list of objects", example: `[${siteExample}]` },
  [site]: { rule: "an object", example: siteExample },
  [`${site}.name`]: {
    rule: "a DNS label of at most 40 characters, as a CronJob's name may have 52",
    example: "blog",
  },
  [`${site}.namespace`]: { ...label, example: "blog" },
  [`${site}.schedule`]: { ...cron, example: "*/10 * * * *" },
  [`${site}.source`]: { rule: "a source as rclone writes it: REMOTE:PATH", example: "gdrive:blog" },
  [`${site}.requiredFile`]: {
    rule: "the name of a file at the top of the source, without slash",
    example: "index.html",
  },
  [`${site}.claim`]: { ...label, example: "blog-content" },
  [`${site}.runAsUser`]: { rule: "a numeric user other than 0", example: "65532" },
  [`${site}.memoryLimit`]: memory,
  [`${site}.externalSecret`]: {
    rule: "an object",
    example: '{"store": "vault-kv", "key": "blog", "property": "rclone_conf"}',
  },
  [`${site}.externalSecret.store`]: { rule: "the name of a ClusterSecretStore", example: "vault-kv" },
  [`${site}.externalSecret.key`]: { rule: "the key in that store", example: "blog" },
  [`${site}.externalSecret.property`]: { rule: "the property of that key", example: "rclone_conf" },
};
