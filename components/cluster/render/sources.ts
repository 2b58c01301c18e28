/** Names of the scrape jobs. */
export const jobs = {
  registries: "registry",
  scan: "scan",
  disk: "disk",
  backup: "backup",
  breakGlass: "break-glass",
  maintenance: "maintenance",
  pushgateway: "pushgateway",
} as const;

/**
 * What the rules and the dashboard read, once: job names of the scrape configuration (docs/runbook.md shows it) and
 * the names of metrics that others write. A monitoring stack with other names changes them here, and nowhere else.
 */
export const sources = {
  /** Every registry and cache; their label `registry` has the name. The scan's file is another job. */
  registries: `job=~"${jobs.registries}.*"`,
  /** The registry that holds what exists nowhere else. */
  private: `job=~"${jobs.registries}.*",registry="private"`,
  /** Lookups of blob descriptors: the label `type` is Request, Hit or Miss. */
  cacheLookups: "registry_storage_cache_total",
} as const;

/** Metrics that no program of this project writes, with their source. */
export const externalMetrics: Readonly<Record<string, string>> = {
  up: "Prometheus: 1 when the last scrape of a target worked, else 0",
  registry_storage_cache_total: "distribution 2.8, /metrics of its debug server: lookups by type",
};
