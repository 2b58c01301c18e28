/** What decides what the cluster side is. Plain values only: the secrets are apart. */
export interface ClusterSettings {
  /** Namespace of everything but the Drive synchronisation. */
  readonly namespace: string;
  /** Whether the namespace is this stack's own; mostly the monitoring stack has made it. */
  readonly createNamespace: boolean;
  /** Base URL of the Pushgateway, no trailing slash. */
  readonly pushgatewayUrl: string;
  /** Image that runs the programs. */
  readonly nodeImage: string;
  readonly probe: ProbeSettings;
  readonly inUse: InUseSettings;
  readonly alerts: AlertSettings;
  readonly scrape: ScrapeSettings;
  readonly dashboard: { readonly enabled: boolean };
  readonly driveSync: DriveSyncSettings;
}

export interface ProbeSettings {
  /** Cron expression, UTC. */
  readonly schedule: string;
  /** Pods that share the repositories of one run. */
  readonly shards: number;
  /** Label `instance` of the metrics: the registry's public HOST:PORT. */
  readonly instance: string;
  /** Base URL of the registry as the pods reach it, no trailing slash. */
  readonly registryUrl: string;
  readonly memoryLimit: string;
}

/** The check of the images that the cluster's workloads need. */
export interface InUseSettings {
  readonly enabled: boolean;
  /** HOST[:PORT] as images name the registry; the label `instance` of these metrics. */
  readonly registry: string;
  /** Cron expression, UTC. */
  readonly schedule: string;
  readonly memoryLimit: string;
}

export interface AlertSettings {
  readonly as: "prometheusRule" | "configMap";
  /** Where people read docs/runbook.md; the anchor of each alert is appended. */
  readonly runbookBaseUrl: string;
  /** Whether collections on the VM remove what no tag needs, or only plan. */
  readonly collects: boolean;
  /** Whether the store is copied to another machine. */
  readonly backsUp: boolean;
  /** Whether images are copied out of the store. */
  readonly breaksGlass: boolean;
  /** Labels `KEY=VALUE` that the operator selects rules by. */
  readonly labels: readonly string[];
}

/** What Prometheus is to scrape. */
export interface ScrapeSettings {
  /** `none`: the monitoring stack's own configuration scrapes it. */
  readonly as: "none" | "scrapeConfig" | "configMap";
  /** Labels `KEY=VALUE` that the operator selects scrape configurations by. */
  readonly labels: readonly string[];
  /** Whether the Pushgateway is scraped too; most monitoring stacks do it themselves. */
  readonly pushgateway: boolean;
  /** HOST:PORT of the VM's metrics. */
  readonly metricsAddress: string;
  /** Names of the registry and its caches. */
  readonly registries: readonly string[];
  /** Whether the store is copied to another machine. */
  readonly backsUp: boolean;
  /** Whether images are copied out of the store. */
  readonly breaksGlass: boolean;
}

export interface DriveSyncSettings {
  readonly image: string;
  readonly sites: readonly DriveSite[];
}

/** A folder in the cloud that is copied into a volume. */
export interface DriveSite {
  /** DNS label; names the objects and the metrics' label. */
  readonly name: string;
  readonly namespace: string;
  /** Cron expression, UTC. */
  readonly schedule: string;
  /** Source as rclone writes it: `REMOTE:PATH`. */
  readonly source: string;
  /** File at the top of the source without which it is taken for incomplete. */
  readonly requiredFile: string;
  /** Existing PersistentVolumeClaim that is written. */
  readonly claim: string;
  /** Account that owns the files on the volume. */
  readonly runAsUser: number;
  readonly memoryLimit: string;
  /** Where rclone's configuration comes from; without it the stack's own secrets hold it. */
  readonly externalSecret?: ExternalSecretSource | undefined;
}

export interface ExternalSecretSource {
  /** ClusterSecretStore. */
  readonly store: string;
  readonly key: string;
  readonly property: string;
}
