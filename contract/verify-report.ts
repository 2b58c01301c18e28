import type { Finding } from "./finding.ts";

/** The document that `regwarden verify --json` writes, version 1. Keys are always present. */
export const verifyReportSchema = "regwarden/verify/v1";

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
  /** Digest that was checked; null when none was found. */
  readonly digest: string | null;
  /** How often it was checked until it was complete, or time was up. */
  readonly checks: number;
  readonly platforms: readonly VerifiedPlatform[];
  /** Manifests and blobs that were asked for, referrers included. None is a finding. */
  readonly manifests: number;
  readonly blobs: number;
  /** Signatures and other manifests about this image. */
  readonly referrers: number;
  readonly findings: readonly Finding[];
}

export interface VerifyReport {
  readonly schema: typeof verifyReportSchema;
  /** End of the run, ISO 8601, UTC. */
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** False when anything could not be checked. */
  readonly complete: boolean;
  readonly requests: number;
  readonly images: readonly VerifiedImage[];
}
