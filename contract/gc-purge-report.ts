/** The document that `regwarden gc --purge AGE --json` writes, version 1. Keys are always present. */
export const gcPurgeReportSchema = "regwarden/gc-purge/v1";

/**
 * `purge`: it is old enough, and nothing needs it; with `--apply` it is gone. `finish`: an earlier purge was cut off.
 * `needed`: the store needs some of it, which is put back, and the rest stays. `cut-off`: the collection itself did not
 * come to its end, so all of it is put back. `young`: younger than the age. `unknown`: what needs it could not be checked.
 */
export const gcPurgeDecisions = ["purge", "finish", "needed", "cut-off", "young", "unknown"] as const;
export type GcPurgeDecision = (typeof gcPurgeDecisions)[number];

export interface GcPurgeRun {
  readonly name: string;
  /** Begin of the collection, ISO 8601, UTC; null where the purge was begun before. */
  readonly begunAt: string | null;
  readonly decision: GcPurgeDecision;
  /** Bytes of what lies in it, before anything was done. */
  readonly bytes: number;
  /** Links and blobs that lie in it. */
  readonly things: number;
  /** What is needed, from the directory, and by what. Without `--apply` it is still to be put back. */
  readonly putBack: readonly { readonly path: string; readonly reason: string }[];
}

export interface GcPurgeReport {
  readonly schema: typeof gcPurgeReportSchema;
  /** Whether `--apply` was given. */
  readonly applied: boolean;
  /** False when what the stores need could not be checked. */
  readonly complete: boolean;
  /** End of the run, ISO 8601, UTC. */
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** The oldest first. */
  readonly runs: readonly GcPurgeRun[];
  /** What the file system has back; without `--apply`, what it would have. */
  readonly freedBytes: number;
  /** What could not be checked, as sentences. */
  readonly problems: readonly string[];
}
