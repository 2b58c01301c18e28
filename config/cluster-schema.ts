import * as v from "valibot";
import { pinnedImages } from "../contract/images.ts";
import { isPinnedImage } from "./images.ts";
import { isCronExpression, isLabel, memoryBytes } from "./kubernetes.ts";

/** What the key `cluster` may hold. */

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
// The jobs are asked for this much; a smaller limit would be refused by the API server.
const LEAST_MEMORY_BYTES = 64 * 2 ** 20;
// A CronJob's name may have 52 characters: eleven more are needed for its jobs.
const LONGEST_SITE_NAME = 52 - "-gdrive-sync".length;
const MOST_SHARDS = 64;

const dnsLabel = v.pipe(v.string(), v.regex(DNS_LABEL));
const cron = v.pipe(v.string(), v.check(isCronExpression));
const memory = v.pipe(
  v.string(),
  v.check((text) => (memoryBytes(text) ?? 0) >= LEAST_MEMORY_BYTES),
);
const text = v.pipe(v.string(), v.minLength(1), v.regex(/^[^\r\n\0]*$/));

const isUrl = (value: string): boolean => {
  const url = URL.parse(value);
  if (url === null || !["http:", "https:"].includes(url.protocol)) return false;
  const hasMore = url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "";
  return !hasMore && !value.endsWith("/") && !/\s/.test(value);
};
const url = v.pipe(v.string(), v.check(isUrl));

const probe = v.strictObject({
  schedule: v.optional(cron, "*/15 * * * *"),
  shards: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_SHARDS)), 1),
  instance: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9.-]+(:\d+)?$/))),
  memoryLimit: v.optional(memory, "256Mi"),
});

const inUse = v.strictObject({
  enabled: v.optional(v.boolean(), false),
  // Between two probes: they ask the same registry.
  schedule: v.optional(cron, "7-59/15 * * * *"),
  memoryLimit: v.optional(memory, "256Mi"),
});

const alerts = v.strictObject({
  as: v.optional(v.picklist(["prometheusRule", "configMap"]), "prometheusRule"),
  runbookBaseUrl: v.optional(url),
  labels: v.optional(v.array(v.pipe(v.string(), v.check(isLabel))), []),
});

const site = v.strictObject({
  name: v.pipe(dnsLabel, v.maxLength(LONGEST_SITE_NAME)),
  namespace: dnsLabel,
  schedule: v.optional(cron, "*/10 * * * *"),
  source: v.pipe(text, v.regex(/^[\w.+@ -]+:/)),
  requiredFile: v.pipe(text, v.regex(/^[^/]+$/)),
  claim: dnsLabel,
  runAsUser: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 1)), 65_532),
  memoryLimit: v.optional(memory, "192Mi"),
  externalSecret: v.optional(v.strictObject({ store: text, key: text, property: text })),
});

const driveSync = v.strictObject({
  image: v.optional(v.pipe(v.string(), v.check(isPinnedImage)), pinnedImages.rclone),
  sites: v.optional(v.array(site), []),
});

export const clusterSchema = v.strictObject({
  enabled: v.optional(v.boolean(), false),
  kubeconfigContext: v.optional(text),
  namespace: v.optional(dnsLabel, "monitoring"),
  createNamespace: v.optional(v.boolean(), false),
  pushgatewayUrl: v.optional(url, "http://prometheus-prometheus-pushgateway.monitoring:9091"),
  probe: v.optional(probe, {}),
  inUse: v.optional(inUse, {}),
  alerts: v.optional(alerts, {}),
  dashboard: v.optional(v.strictObject({ enabled: v.optional(v.boolean(), true) }), {}),
  driveSync: v.optional(driveSync, {}),
});

/** The cluster's settings with all defaults filled in. */
export type ClusterConfig = v.InferOutput<typeof clusterSchema>;
