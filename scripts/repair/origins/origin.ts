import type { Digest } from "../../registry/digest.ts";
import type { Unreadable } from "../../source/source.ts";

/** Somebody who may have what a store lost: another registry of the same data root, or one that is asked over HTTP. */
export interface Origin {
  /** Unique; what reports call it. */
  readonly label: string;
  /** Repository to ask for what `repository` lost. */
  readonly repositoryFor: (repository: string) => string;
  /** How long a blob is there. Not yet proven to be what its digest says. */
  readonly sizeOf: (repository: string, digest: Digest) => Promise<Size>;
  /** A manifest's bytes, proven by its digest. */
  readonly manifest: (repository: string, digest: Digest) => Promise<ManifestBytes>;
  /**
   * The bytes, piece by piece; not yet proven.
   *
   * Errors: E_REGISTRY_UNREACHABLE, E_REGISTRY_ANSWER, or those of the file system.
   */
  readonly read: (repository: string, digest: Digest, isManifest: boolean) => AsyncIterable<Uint8Array>;
}

export type Size =
  | { readonly state: "present"; readonly sizeBytes: number }
  | { readonly state: "missing" }
  | Unreadable;

export type ManifestBytes =
  | { readonly state: "read"; readonly content: Uint8Array }
  | { readonly state: "missing" }
  | Unreadable;
