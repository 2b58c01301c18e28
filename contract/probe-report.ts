import type { Finding, Problem } from "./finding.ts";

/** The document that `regwarden probe --json` writes, version 1. Keys are always present. */
export const probeReportSchema = "regwarden/probe/v1";

export interface ProbeReport {
  readonly schema: typeof probeReportSchema;
  /** The registry's public HOST:PORT, as in the metrics' label. */
  readonly instance: string;
  /** Which part of the repositories was checked, counted from 0; null: all. */
  readonly shard: { readonly index: number; readonly count: number } | null;
  /** End of the run, ISO 8601, UTC. */
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** False when anything could not be checked, the sentinel is missing, or there is no tag to check and no sentinel. */
  readonly complete: boolean;
  readonly catalogueAccessible: boolean;
  /** Whether a client without an account is refused; null when it was not asked, or no answer said so. */
  readonly authenticationRequired: boolean | null;
  /** Null without a sentinel or without a catalogue. */
  readonly sentinelPresent: boolean | null;
  /** ISO 8601, UTC; null without TLS or when it could not be read. */
  readonly certificateExpiresAt: string | null;
  /** Repositories, tags and indexes that were checked; an index counts once in each repository. */
  readonly repositories: number;
  readonly tags: number;
  readonly indexes: number;
  readonly requests: number;
  /** Failed requests, by kind. */
  readonly errors: {
    readonly unauthorised: number;
    readonly unavailable: number;
    readonly unexpected: number;
  };
  /** Tags, manifests and blobs as for a scan; those with the cause `unreadable` are what could not be checked. */
  readonly findings: readonly Finding[];
  /** What is wrong with the registry itself. */
  readonly problems: readonly Problem[];
}
