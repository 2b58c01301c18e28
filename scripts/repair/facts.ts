import type { Digest } from "../registry/digest.ts";
import type { BlobDescriptor } from "../registry/manifest.ts";
import type { Unreadable } from "../source/source.ts";

/** What the reader learnt about damaged images, and all that the plan ever looks at. */

/** What a store holds under a digest. */
export type Holding =
  /** As far as was looked: always the size, and after a deep look every byte. */
  | { readonly state: "good"; readonly sizeBytes: number }
  | { readonly state: "missing" }
  /** A file that is not what the digest stands for; the reason is half a sentence. */
  | { readonly state: "damaged"; readonly reason: string }
  /** The bytes are right, and yet no client takes them: whoever wrote the manifest was wrong. */
  | { readonly state: "useless"; readonly reason: string }
  | Unreadable;

/** Whether a repository links something. */
export type LinkHolding =
  | { readonly state: "linked" }
  | { readonly state: "missing" }
  | { readonly state: "invalid"; readonly reason: string }
  | Unreadable;

/** Somebody who has what is lost here. */
export interface Offer {
  /** {@link Origin.label} of who has it. */
  readonly origin: string;
  /** Repository to ask there. */
  readonly repository: string;
  readonly sizeBytes: number;
}

/** A manifest or blob that a repository needs. */
export interface Part {
  readonly digest: Digest;
  readonly role: BlobDescriptor["role"] | "manifest";
  readonly holding: Holding;
  readonly link: LinkHolding;
  /** Best first; looked for only where the store's own is of no use. */
  readonly offers: readonly Offer[];
}

/** A manifest with everything below it. */
export interface ImageNode {
  readonly digest: Digest;
  /** `unknown`: nobody has its content, so what is below it is not known either. */
  readonly type: "index" | "image" | "unknown";
  readonly own: Part;
  /** Configuration and layers. */
  readonly blobs: readonly Part[];
  readonly children: readonly ChildNode[];
}

export interface ChildNode {
  readonly platform: string | null;
  /** What the index says; null where it does not. */
  readonly expectedBytes: number | null;
  readonly node: ImageNode;
}

/** Something that people pull: a tag, or a manifest that no tag leads to. */
export type Root =
  | { readonly tag: string | null; readonly node: ImageNode }
  /** A tag without a usable link, and the only manifest it can have meant, if there is only one. */
  | { readonly tag: string; readonly reason: string; readonly candidate: ImageNode | null };

/** One repository with something to repair in it. */
export interface DamagedRepository {
  readonly registry: string;
  readonly repository: string;
  /** Tags first. */
  readonly roots: readonly Root[];
}
