import type { RepairChange } from "../../contract/repair-report.ts";
import type { Digest } from "../registry/digest.ts";
import type { Offer, Part } from "./facts.ts";

/** A change with all that whoever makes it must know. */
export interface PlannedChange extends RepairChange {
  /** Of blobs: who has it, best first. */
  readonly offers: readonly Offer[];
  /** Of blobs: a manifest, which registries serve under another address than other blobs. */
  readonly isManifest: boolean;
}

/** A blob of a registry, for all of its repositories. */
export function blobKey(registry: string, digest: string): string {
  return `${registry} ${digest}`;
}

/** The same for changes that write the same file: images that share a layer share what brings it back. */
export function changeKey({ kind, registry, repository, digest, tag }: RepairChange): string {
  return kind === "blob" ? blobKey(registry, digest) : [kind, registry, repository, tag ?? digest].join(" ");
}

/** For whom something is changed. */
export type Place = Pick<RepairChange, "registry" | "repository">;

/** What is written for one part of an image. */
export function changesFor(place: Place, part: Part, offers: readonly Offer[]): readonly PlannedChange[] {
  return [
    ...(part.holding.state === "good" ? [] : [blobChange(place, part, offers)]),
    ...(part.link.state === "linked" ? [] : [linkChange(place, part)]),
  ];
}

function blobChange(place: Place, part: Part, offers: readonly Offer[]): PlannedChange {
  return {
    kind: "blob",
    ...place,
    tag: null,
    digest: part.digest,
    sizeBytes: offers[0]?.sizeBytes ?? null,
    replaces: part.holding.state === "damaged" ? part.holding.reason : null,
    from: offers[0]?.origin ?? null,
    offers,
    isManifest: part.role === "manifest",
  };
}

function linkChange(place: Place, part: Part): PlannedChange {
  return {
    kind: part.role === "manifest" ? "revision-link" : "layer-link",
    ...place,
    tag: null,
    digest: part.digest,
    sizeBytes: null,
    replaces: part.link.state === "invalid" ? part.link.reason : null,
    from: null,
    offers: [],
    isManifest: part.role === "manifest",
  };
}

export function tagChange(place: Place, tag: string, digest: Digest, reason: string): PlannedChange {
  const link = { sizeBytes: null, from: null, offers: [], isManifest: true };
  return { kind: "tag-link", ...place, tag, digest, replaces: reason, ...link };
}
