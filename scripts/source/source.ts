import type { Digest } from "../registry/digest.ts";
import type { Manifest } from "../registry/manifest.ts";

/**
 * Where facts about a registry come from. Every answer is data: what is missing, invalid or unreadable is a fact like
 * any other, and only the graph decides what it means. What vanishes between being listed and being read counts as
 * never listed.
 */

/**
 * Why a registry was no help. `unauthorised`: it refuses the account. `unavailable`: nobody answers, or only that the
 * server cannot. `unexpected`: an answer that a registry does not give.
 */
export const faultKinds = ["unauthorised", "unavailable", "unexpected"] as const;
export type FaultKind = (typeof faultKinds)[number];

/** It is there, but could not be looked at. */
export interface Unreadable {
  readonly state: "unreadable";
  /** Only of what was asked over HTTP. */
  readonly kind?: FaultKind;
  /** Path or URL. */
  readonly place: string;
  readonly reason: string;
}

/** What a link says. */
export type LinkState =
  | { readonly state: "linked"; readonly digest: Digest }
  | {
      readonly state: "invalid";
      readonly place: string;
      readonly reason: string;
      /** Whether there is no link at all where there should be one: a tag of which only the name is left. */
      readonly isMissing?: boolean;
    }
  | Unreadable;

/** A link by its name: the tag, or the digest its directory spells. Null: the list of links itself is unreadable. */
export interface LinkFact {
  readonly name: string | null;
  readonly link: LinkState;
}

export type RepositoryFact = { readonly state: "found"; readonly name: string } | Unreadable;

export type BlobState =
  | {
      readonly state: "present";
      readonly sizeBytes: number;
      /** Whether its bytes were found not to be those that the digest stands for; only where they were looked at. */
      readonly isAltered?: boolean;
    }
  | { readonly state: "missing" }
  | Unreadable;

/** A blob by its digest. Null: a directory of blobs is unreadable. */
export interface BlobFact {
  readonly digest: Digest | null;
  readonly blob: BlobState;
}

export type ManifestState =
  | { readonly state: "parsed"; readonly manifest: Manifest; readonly sizeBytes?: number }
  | { readonly state: "missing" }
  | { readonly state: "empty" }
  /** Other bytes than its digest stands for. */
  | { readonly state: "altered" }
  | Unreadable;

/** An upload that was begun and not ended. Null: the list of a repository's uploads is unreadable. */
export interface UploadFact {
  readonly repository: string;
  readonly id: string | null;
  readonly upload:
    | {
        readonly state: "begun";
        /** Milliseconds since 1970; null where the store does not say. */
        readonly startedAt: number | null;
        /** Milliseconds since 1970. */
        readonly lastWrittenAt: number;
        readonly sizeBytes: number;
      }
    | Unreadable;
}

/** What any registry can be asked, by whatever means. */
export interface RegistrySource {
  readonly name: string;
  /** In the order of their names, level by level. */
  repositories(): AsyncIterable<RepositoryFact>;
  tags(repository: string): AsyncIterable<LinkFact>;
  manifest(repository: string, digest: Digest): Promise<ManifestState>;
  blob(repository: string, digest: Digest): Promise<BlobState>;
}

/** One of `count` parts that together are the whole, counted from 0. */
export interface Share {
  readonly index: number;
  readonly count: number;
}

/** Lets somebody who reads much wait after each piece, given its length in bytes. */
export type Pace = (bytes: number) => Promise<void>;

/** What only the store itself can tell: no registry lists these over HTTP. */
export interface StoreSource extends RegistrySource {
  /** Manifests that the repository serves, tagged or not. */
  revisions(repository: string): AsyncIterable<LinkFact>;
  /** Blobs that the repository serves. */
  layerLinks(repository: string): AsyncIterable<LinkFact>;
  /** All blobs, whoever needs them, or one share of them. */
  blobs(share?: Share): AsyncIterable<BlobFact>;
  /** All unfinished uploads. */
  uploads(): AsyncIterable<UploadFact>;
  /** Like `blob`, and compares what is there with the digest, byte by byte. */
  verifiedBlob(digest: Digest, pace: Pace): Promise<BlobState>;
}
