import type { Digest } from "../registry/digest.ts";

/** What all things have. Times are milliseconds since 1970. */
interface Unreached {
  /** By its name: of an alias another digest than that of the blob. */
  readonly digest: Digest;
  /** Its directory, which can be renamed as a whole. */
  readonly path: string;
  /** Last write of the file or of its directory, whichever was later. */
  readonly writtenAt: number;
  /** Since when marks find it unreached; this mark's begin where it is the first. */
  readonly unreachedSince: number;
}

export interface LinkThing extends Unreached {
  readonly kind: "revision-link" | "layer-link";
  readonly repository: string;
}

export interface BlobThing extends Unreached {
  readonly kind: "blob";
  readonly sizeBytes: number;
}

/** Something of one store that can be collected. */
export type Thing = LinkThing | BlobThing;
