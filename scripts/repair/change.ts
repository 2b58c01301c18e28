import type { RepairChange } from "../../contract/repair-report.ts";
import type { Digest } from "../registry/digest.ts";
import type { CandidateCopy } from "./copies-found.ts";
import type { Need } from "./needs.ts";

/** A change with all that is needed to make it. */
export interface PlannedChange extends RepairChange {
  readonly digest: Digest;
  readonly target: Digest;
  /** Of blobs, best first; none for the empty blob. */
  readonly copies: readonly CandidateCopy[];
  /** Of blobs: a manifest, which registries serve under another address than other blobs. */
  readonly isManifest: boolean;
}

/** A blob of a registry, for all of its repositories. */
export function blobKey(registry: string, digest: string): string {
  return `${registry} ${digest}`;
}

/** The same for changes that write the same file: images that share a layer share what brings it back. */
export function changeKey({ kind, registry, repository, digest, target, tag }: RepairChange): string {
  return kind === "blob" ? blobKey(registry, target) : [kind, registry, repository, tag ?? digest].join(" ");
}

/** The repository that something is changed for. */
export type Beneficiary = Pick<RepairChange, "registry" | "repository">;

/** What is written for one thing that an image needs. */
export function changesFor(
  beneficiary: Beneficiary,
  need: Need,
  copies: readonly CandidateCopy[],
): readonly PlannedChange[] {
  return [
    ...(need.content ? [blobChange(beneficiary, need, copies)] : []),
    ...(need.link ? [linkChange(beneficiary, need)] : []),
  ];
}

function blobChange(
  beneficiary: Beneficiary,
  { digest, target, role, content }: Need,
  copies: readonly CandidateCopy[],
): PlannedChange {
  return {
    kind: "blob",
    ...beneficiary,
    tag: null,
    digest,
    target,
    sizeBytes: copies[0]?.sizeBytes ?? 0,
    replaces: content?.isThere ? content.reason : null,
    from: copies[0]?.source ?? null,
    copies,
    isManifest: role === "manifest",
  };
}

function linkChange(beneficiary: Beneficiary, { digest, target, role, link }: Need): PlannedChange {
  const isManifest = role === "manifest";
  return {
    kind: isManifest ? "revision-link" : "layer-link",
    ...beneficiary,
    tag: null,
    digest,
    target,
    sizeBytes: null,
    replaces: link?.isThere ? link.reason : null,
    from: null,
    copies: [],
    isManifest,
  };
}

export function tagChange(
  beneficiary: Beneficiary,
  tag: string,
  digest: Digest,
  replaces: string | null,
): PlannedChange {
  const link = { target: digest, sizeBytes: null, from: null, copies: [], isManifest: true };
  return { kind: "tag-link", ...beneficiary, tag, digest, replaces, ...link };
}
