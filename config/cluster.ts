import * as v from "valibot";
import { programUid } from "../contract/host-names.ts";
import { pinnedImages } from "../contract/images.ts";
import { type Fault, sameNameFaults } from "./faults.ts";
import { cron, dnsLabel, image, line, memory, trueOrFalse, url } from "./formats.ts";
import { described, example, withDefault } from "./setting.ts";

/** What watches the registry from a Kubernetes cluster. */

// A CronJob's name may have 52 characters: eleven more are needed for its jobs.
const LONGEST_SITE_NAME = 52 - "-gdrive-sync".length;

const context = described("the name of a context of the kubeconfig", line);
const shards = described(
  "a whole number from 1 to 64",
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(64)),
);
const instance = described(
  "the registry as metrics and alerts name it: HOST or HOST:PORT",
  v.pipe(v.string(), v.regex(/^[a-z0-9.-]+(:\d+)?$/)),
);
const label = described("a label KEY=VALUE", v.pipe(v.string(), v.check(isLabel)));

const probe = v.strictObject({
  schedule: withDefault(cron, "*/15 * * * *"),
  shards: withDefault(shards, 1),
  instance: v.optional(example(instance, "registry.example.com:5050")),
  memoryLimit: withDefault(memory, "256Mi"),
});

const inUse = v.strictObject({
  enabled: v.optional(example(trueOrFalse, "true"), false),
  // Between two probes: they ask the same registry.
  schedule: withDefault(cron, "7-59/15 * * * *"),
  memoryLimit: withDefault(memory, "256Mi"),
});

const alerts = v.strictObject({
  as: withDefault(
    described(
      "prometheusRule where the Prometheus operator runs, configMap where not",
      v.picklist(["prometheusRule", "configMap"]),
    ),
    "prometheusRule",
  ),
  runbookBaseUrl: v.optional(example(url, "https://git.example.com/infra/regwarden/docs/runbook.md")),
  labels: v.optional(
    described("a list of labels KEY=VALUE", v.array(example(label, "release=prometheus"))),
    [],
  ),
});

const scrape = v.strictObject({
  as: withDefault(
    described(
      "scrapeConfig where the Prometheus operator runs, configMap where not, none where it is scraped already",
      v.picklist(["none", "scrapeConfig", "configMap"]),
    ),
    "none",
  ),
  labels: v.optional(
    described("a list of labels KEY=VALUE", v.array(example(label, "release=prometheus"))),
    [],
  ),
  pushgateway: withDefault(trueOrFalse, false),
});

const siteName = described(
  `a DNS label of at most ${LONGEST_SITE_NAME} characters, as a CronJob's name may have 52`,
  v.pipe(dnsLabel, v.maxLength(LONGEST_SITE_NAME)),
);
const source = described("a source as rclone writes it: REMOTE:PATH", v.pipe(line, v.regex(/^[\w.+@ -]+:/)));
const requiredFile = described(
  "the name of a file at the top of the source, without slash",
  v.pipe(line, v.regex(/^[^/]+$/)),
);
const runAsUser = described(
  "a numeric user other than 0",
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 1)),
);

const site = v.strictObject({
  name: example(siteName, "blog"),
  namespace: example(dnsLabel, "blog"),
  schedule: withDefault(cron, "*/10 * * * *"),
  source: example(source, "gdrive:blog"),
  requiredFile: example(requiredFile, "index.html"),
  claim: example(dnsLabel, "blog-content"),
  runAsUser: withDefault(runAsUser, programUid),
  memoryLimit: withDefault(memory, "192Mi"),
  externalSecret: v.optional(
    v.strictObject({
      store: example(described("the name of a ClusterSecretStore", line), "vault-kv"),
      key: example(described("the key in that store", line), "blog"),
      property: example(described("the property of that key", line), "rclone_conf"),
    }),
  ),
});

const cluster = v.strictObject({
  enabled: v.optional(example(trueOrFalse, "true"), false),
  kubeconfigContext: v.optional(example(context, "home")),
  namespace: withDefault(dnsLabel, "monitoring"),
  createNamespace: withDefault(trueOrFalse, false),
  pushgatewayUrl: withDefault(url, "http://prometheus-prometheus-pushgateway.monitoring:9091"),
  probe: v.optional(probe, {}),
  inUse: v.optional(inUse, {}),
  alerts: v.optional(alerts, {}),
  scrape: v.optional(scrape, {}),
  dashboard: v.optional(v.strictObject({ enabled: withDefault(trueOrFalse, true) }), {}),
  driveSync: v.optional(
    v.strictObject({
      image: withDefault(image, pinnedImages.rclone),
      sites: v.optional(v.array(site), []),
    }),
    {},
  ),
});

export const clusterEntries = { cluster: v.optional(cluster, {}) };

/** The cluster's settings with all defaults filled in. */
export type ClusterConfig = v.InferOutput<typeof cluster>;

/** Names of the sites whose configuration of rclone is a secret of this stack. */
export function sitesWithOwnSecret(settings: ClusterConfig | undefined): string[] {
  if (!settings?.enabled) return [];
  return settings.driveSync.sites
    .filter(({ externalSecret }) => externalSecret === undefined)
    .map(({ name }) => name);
}

/** Rules that join several keys of the cluster. What is off is not checked. */
export function clusterFaults(settings: ClusterConfig | undefined): Fault[] {
  if (settings === undefined || !settings.enabled) return [];
  const { sites } = settings.driveSync;
  return [
    ...contextFaults(settings),
    ...runbookFaults(settings),
    ...sameNameFaults("cluster.driveSync.sites", sites),
    ...pushFaults(settings),
  ];
}

// Without one, a preview on a laptop would go to whatever cluster was asked last.
function contextFaults({ kubeconfigContext }: ClusterConfig): Fault[] {
  if (kubeconfigContext !== undefined) return [];
  return [
    {
      key: "cluster.kubeconfigContext",
      value: "(missing)",
      rule: "the name of the context of the kubeconfig: the current one is another on each machine",
      example: "home",
    },
  ];
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

/** A label as `KEY=VALUE`, with an optional prefix of the key. */
function isLabel(text: string): boolean {
  const name = "[A-Za-z0-9]([\\w.-]{0,61}[A-Za-z0-9])?";
  return new RegExp(`^([a-z0-9.-]+/)?${name}=(${name})?$`).test(text);
}
