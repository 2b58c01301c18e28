import type { Finding, RegistryMode } from "./finding.ts";

/**
 * The document that `regwarden scan --json` and `--report` write, version 1. Programs fill it, alerts, tests and the
 * deployment check read it. Keys are always present; what does not apply is null or an empty list.
 */
export const scanReportSchema = "regwarden/scan/v1";

/** What was checked in one registry. Counts are links or files, a thing in two repositories counts twice. */
export interface RegistrySummary {
  readonly name: string;
  readonly mode: RegistryMode;
  readonly repositories: number;
  readonly tags: number;
  /** Manifests that are image indexes or Docker manifest lists; part of `manifests`. */
  readonly indexes: number;
  readonly manifests: number;
  readonly layerLinks: number;
  /** Blobs in the store, each counted once. */
  readonly blobs: number;
  /** Sum of the blobs' sizes. */
  readonly bytes: number;
}

export interface ScanReport {
  readonly schema: typeof scanReportSchema;
  /** End of the scan, ISO 8601, UTC. */
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** False when anything could not be read; the findings then hold what. */
  readonly complete: boolean;
  readonly registries: readonly RegistrySummary[];
  readonly findings: readonly Finding[];
}
