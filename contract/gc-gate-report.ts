/** The document that `regwarden gc --gate-3x --json` writes, version 1. Keys are always present. */
export const gcGateReportSchema = "regwarden/gc-gate/v1";

/**
 * What distribution 3.x, its own `garbage-collect` included, would lose. `other-algorithm`: blobs that were pushed by
 * another algorithm than SHA-256; also without `-m`, and in 2.8 as well. `orphaned-index`: blobs of a healthy image, by
 * `-m`, because a repository that is read before has an index of it without its entries. `untagged`: manifests that are
 * needed without a tag, by `-m`.
 */
export const gcGateKinds = ["other-algorithm", "orphaned-index", "untagged"] as const;
export type GcGateKind = (typeof gcGateKinds)[number];

export interface GcGateReason {
  readonly kind: GcGateKind;
  readonly registry: string;
  /** The repository that loses. */
  readonly repository: string;
  /** Of what is lost. */
  readonly digest: string;
  readonly message: string;
}

export interface GcGateReport {
  readonly schema: typeof gcGateReportSchema;
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** False when anything could not be read, so that 3.x may lose more. */
  readonly complete: boolean;
  readonly safe: boolean;
  readonly reasons: readonly GcGateReason[];
}
