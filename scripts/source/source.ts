import type { Digest } from "../registry/digest.ts";
import type { Manifest } from "../registry/manifest.ts";
import type { Listing } from "./bounded.ts";

/**
 * Where facts about a registry come from. Every answer is data: missing, invalid and unreadable are facts like any
 * other, and only the graph decides what they mean. What vanishes between being listed and being read counts as never
 * listed. Times are milliseconds since 1970.
 */

/**
 * Why a question to a registry brought no fact. `unauthorised`: it refuses the account. `unavailable`: no answer, or a
 * server that says that it cannot. `unexpected`: an answer that a registry does not give.
 */
export const faultKinds = ["unauthorised", "unavailable", "unexpected"] as const;
export type FaultKind = (typeof faultKinds)[number];

/** It could not be checked. */
export interface Unreadable {
  readonly state: "unreadable";
  /** Only of what was asked over HTTP. */
  readonly kind?: FaultKind;
  /** Path or URL. */
  readonly location: string;
  readonly reason: string;
  /** It was read, and its content is no manifest. */
  readonly isUnparsable?: true;
}

/** It is there, and the registry itself can make no sense of it: of its content, or of the link that leads there. */
export interface Invalid {
  readonly state: "invalid";
  readonly location: string;
  readonly reason: string;
}

/** The content of a link. */
export type LinkState =
  | {
      readonly state: "linked";
      readonly digest: Digest;
      /** When the link was written; only where {@link ListOptions.withTimes} asked for it. */
      readonly modifiedAt?: number;
    }
  /** A tag of which only the name is left. */
  | { readonly state: "missing"; readonly location: string }
  | Invalid
  | Unreadable;

/** A link by its name: the tag, or the digest that its directory spells. Null: the list of links itself is unreadable. */
export interface LinkFact {
  readonly name: string | null;
  readonly link: LinkState;
  /** What the tag leads to, where the answer about the tag brought it along. */
  readonly manifest?: ManifestState;
}

export interface ListOptions {
  /** Whether each link's time is wanted: on a disk one more system call a link. */
  readonly withTimes?: boolean;
}

export type RepositoryFact = { readonly state: "found"; readonly name: string } | Unreadable;

/** It is not there. */
export interface Missing {
  readonly state: "missing";
  /** Whether the registry goes on saying that it has it, as its cache of descriptors does until a restart. */
  readonly isPromised?: boolean;
}

export type BlobState =
  | {
      readonly state: "present";
      readonly sizeBytes: number;
      /** When the blob was written; absent over HTTP. */
      readonly modifiedAt?: number;
      /** Whether its bytes differ from those that the digest stands for; absent where they were not read. */
      readonly isAltered?: boolean;
    }
  | Missing
  | Invalid
  | Unreadable;

/** A blob by its digest. Null: a directory of blobs is unreadable. */
export interface BlobFact {
  readonly digest: Digest | null;
  readonly blob: BlobState;
}

export type ManifestState =
  | { readonly state: "parsed"; readonly manifest: Manifest; readonly sizeBytes?: number }
  | Missing
  | { readonly state: "empty" }
  /** Other bytes than its digest stands for. */
  | { readonly state: "altered" }
  | Invalid
  | Unreadable;

/** An unfinished upload. Null: the list of a repository's uploads is unreadable. */
export interface UploadFact {
  readonly repository: string;
  readonly id: string | null;
  readonly upload:
    | {
        readonly state: "begun";
        /** Null where the store does not say. */
        readonly startedAt: number | null;
        readonly lastWrittenAt: number;
        readonly sizeBytes: number;
      }
    | Unreadable;
}

/** What any registry can be asked, by whatever means. */
export interface RegistrySource {
  readonly name: string;
  /** In the order of their names, level by level. */
  repositories(): Listing<RepositoryFact>;
  tags(repository: string, options?: ListOptions): Listing<LinkFact>;
  manifest(repository: string, digest: Digest): Promise<ManifestState>;
  blob(repository: string, digest: Digest): Promise<BlobState>;
  /**
   * The bytes of a digest, piece by piece, not yet compared with it.
   *
   * Errors: E_REGISTRY_ANSWER, or those of the file system.
   */
  content(repository: string, digest: Digest, of: "manifest" | "blob"): AsyncIterable<Uint8Array>;
}

/** One of `count` parts that together are the whole, counted from 0. */
export interface Share {
  readonly index: number;
  readonly count: number;
}

/** Waits after each piece that was read, given its length in bytes. */
export type Pace = (bytes: number) => Promise<void>;

/** What only the store itself holds: no registry lists these over HTTP. */
export interface StoreSource extends RegistrySource {
  /** Manifests that the repository serves, tagged or not. */
  revisions(repository: string, options?: ListOptions): Listing<LinkFact>;
  /** Blobs that the repository serves. */
  layerLinks(repository: string, options?: ListOptions): Listing<LinkFact>;
  /** Every manifest that a tag has pointed at, the present one included. */
  tagHistory(repository: string, tag: string, options?: ListOptions): Listing<LinkFact>;
  /** All blobs of the store, or one share of them. */
  blobs(share?: Share): Listing<BlobFact>;
  /** All unfinished uploads. */
  uploads(): Listing<UploadFact>;
  /** Like `blob`, and compares the content byte by byte with the digest, or with another `name` of it. */
  verifiedBlob(digest: Digest, pace: Pace, name?: Digest): Promise<BlobState>;
}
