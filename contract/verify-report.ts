import type { Finding, FindingCause } from "./scan-report.ts";

/** The document that `regwarden verify --json` writes, version 1. Keys are always present. */
export const verifyReportSchema = "regwarden/verify/v1";

/** What else can be wrong with an image that somebody has just pushed. */
export type VerifyCause =
  | FindingCause
  /** The registry knows nothing under this name: the push went elsewhere, or did not end. */
  | "absent"
  /** An expected platform is not offered, or no platform at all. */
  | "platform-missing"
  /** The index says another platform than the image's own configuration. */
  | "platform-mismatch"
  /** The tag leads to another manifest than the digest beside it. */
  | "tag-moved";

export type VerifyFinding = Omit<Finding, "cause"> & { readonly cause: VerifyCause };

/** One image for one platform. */
export interface VerifiedPlatform {
  /** Digest of the image's manifest. */
  readonly digest: string;
  /** From the index, or without one from the configuration; null where neither says. */
  readonly platform: string | null;
  readonly isAttestation: boolean;
  /** Blobs that were asked for, the configuration included. */
  readonly blobs: number;
}

/** One reference. */
export interface VerifiedImage {
  /** As given. */
  readonly reference: string;
  readonly registry: string;
  readonly repository: string;
  /** Digest that was looked at; null when none was found. */
  readonly digest: string | null;
  /** How often it was looked at until it was whole, or time was up. */
  readonly looks: number;
  readonly platforms: readonly VerifiedPlatform[];
  /** Manifests and blobs that were asked for, referrers included. None is a finding. */
  readonly manifests: number;
  readonly blobs: number;
  /** Signatures and other manifests about this image. */
  readonly referrers: number;
  readonly findings: readonly VerifyFinding[];
}

export interface VerifyReport {
  readonly schema: typeof verifyReportSchema;
  /** End of the run, ISO 8601, UTC. */
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** False when anything could not be looked at; then nothing is promised. */
  readonly complete: boolean;
  readonly requests: number;
  readonly images: readonly VerifiedImage[];
}
