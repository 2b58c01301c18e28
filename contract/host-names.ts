/** Names on the VM: the program declares them, the programs and the lab start, read and print them. */

/** Units of systemd. */
export const units = {
  /** Starts the containers at boot. */
  boot: "docker-compose-registry.service",
  scan: "regwarden-scan.service",
  scanTimer: "regwarden-scan.timer",
  /** Measures the free space of the store's disk. */
  disk: "regwarden-disk.service",
  diskTimer: "regwarden-disk.timer",
  /** Decides which tags stay. */
  retain: "regwarden-retain.service",
  retainTimer: "regwarden-retain.timer",
  /** Finds what no tag needs, so that it is known since when. */
  mark: "regwarden-mark.service",
  markTimer: "regwarden-mark.timer",
  /** Moves what no tag needs into a quarantine. */
  collect: "regwarden-collect.service",
  collectTimer: "regwarden-collect.timer",
  /** Removes what has been in the quarantine for long; starts after a collection. */
  purge: "regwarden-purge.service",
  /** Puts back what a client misses; runs all the time where collections remove. */
  restore: "regwarden-restore.service",
  /** Copies the private registry's store to another machine. */
  backup: "regwarden-backup.service",
  backupTimer: "regwarden-backup.timer",
  /** Copies single images out of the private registry's store. */
  breakGlass: "regwarden-break-glass.service",
  breakGlassTimer: "regwarden-break-glass.timer",
  /** Begins a new file of nginx's log. */
  accessLog: "regwarden-access-log.service",
  accessLogTimer: "regwarden-access-log.timer",
  /** Takes a certificate that is renewed on the host itself. */
  certificate: "regwarden-certificate.service",
  certificatePath: "regwarden-certificate.path",
  certificateTimer: "regwarden-certificate.timer",
} as const;

/** Compose project: the name that compose derived from /opt/registry before, so running containers are taken over. */
export const composeProject = "registry";

/** Docker's network of the compose project. */
export const composeNetwork = `${composeProject}_registry`;

/** Containers with a fixed name; the registries have theirs from {@link registryContainer}. */
export const containers = {
  nginx: "registry-nginx",
  ui: "registry-ui",
  /** Of the scan, while it runs. */
  scan: "regwarden-scan",
  /** Of the copies of single images, while they are made. */
  breakGlass: "regwarden-break-glass",
  /** Of the maintenance, each while it runs. */
  retain: "regwarden-retain",
  mark: "regwarden-mark",
  collect: "regwarden-collect",
  purge: "regwarden-purge",
  restore: "regwarden-restore",
} as const;

/** Container and compose service of a registry or cache. */
export function registryContainer(registry: string): string {
  return `registry-${registry}`;
}

/** Label of a container with a digest over its definition and all that is mounted into it. */
export const revisionLabel = "regwarden.revision";

/** Account of the programs in their containers and pods: no user of the host has this number. */
export const programUid = 65_532;

/** Where the metrics port serves what the scan writes. */
export const scanMetricsPath = "/metrics/scan";

/** Where the metrics port serves the free space of the store's disk. */
export const diskMetricsPath = "/metrics/disk";

/** Where the metrics port serves what the copies of the store were like. */
export const backupMetricsPath = "/metrics/backup";

/** Where the metrics port serves what the copies of single images were like. */
export const breakGlassMetricsPath = "/metrics/break-glass";

/** Where the metrics port serves what the maintenance writes. */
export const maintenanceMetricsPaths = {
  retain: "/metrics/retain",
  /** Of marks and collections: each replaces what the one before wrote. */
  collect: "/metrics/collect",
  purge: "/metrics/purge",
  restore: "/metrics/restore",
} as const;

/** Where the metrics port serves a registry's own metrics. */
export function registryMetricsPath(registry: string): string {
  return `/metrics/${registry}`;
}
