import type { FindingFacts, FindingKind } from "../../contract/finding.ts";
import type { BlobDescriptor } from "../registry/manifest.ts";
import type { FaultKind, Unreadable } from "../source/source.ts";

/** A finding before report/ puts it in words, with what only the words need. */
export interface RawFinding extends FindingFacts {
  readonly detail?: FindingDetail;
}

export interface FindingDetail {
  /** Half a sentence that goes on where {@link FindingFacts.place} ends: why a link is of no use, or not readable. */
  readonly reason?: string;
  /** Of what was asked over HTTP. */
  readonly faultKind?: FaultKind;
  /** Of a blob that an image needs. */
  readonly role?: BlobDescriptor["role"];
  /** What is left of a manifest that the repository does not link. */
  readonly remains?: Remains;
  readonly upload?: { readonly sizeBytes: number; readonly lastWrittenAt: number };
  /** Name of another registry that holds what is missing here. */
  readonly copyIn?: string;
  /** The name that an image was asked for by. */
  readonly reference?: string;
  /** Platforms that an index offers. */
  readonly offered?: readonly string[];
  /** What an image says of its platform. */
  readonly actual?: string;
  /** Whether the registry says that it has it, and breaks off when it is asked for it. */
  readonly isPromised?: boolean;
  /** Of a referrer: what of it is bad, and the tag that it is found by, where that is bad. */
  readonly referrer?: { readonly part: FindingKind; readonly tag?: string };
}

/** `complete`, `damaged` and `missing` are of the manifest's own content; the counts of what it names. */
export type Remains =
  | { readonly content: "damaged" | "missing" }
  | {
      readonly content: "complete";
      readonly names: "children" | "blobs";
      readonly total: number;
      readonly missing: number;
    };

/** Place and detail of what could not be checked. */
export function detailOfUnreadable({ location, reason, kind }: Unreadable) {
  return { place: location, detail: { reason, ...(kind && { faultKind: kind }) } };
}
