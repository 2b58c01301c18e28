import type { FindingCause, FindingKind } from "../../contract/finding.ts";
import { type Digest, isDigestOfNothing } from "../registry/digest.ts";
import type { BlobDescriptor } from "../registry/manifest.ts";
import type { RepositoryFacts } from "../source/facts.ts";
import type { BlobState, ManifestState } from "../source/source.ts";
import type { RawFinding } from "./raw-finding.ts";
import type { References } from "./references.ts";

/**
 * What a tag needs, and which tags it breaks when it is bad: the same rules for a registry that is asked over HTTP and
 * for a store. What is bad, and what heals it, depends on what can be seen from there.
 */

/** A bad manifest or blob, before it is known which tags it breaks. */
export interface Defect {
  readonly kind: FindingKind;
  readonly cause: FindingCause;
  readonly digest: Digest;
  /** Manifests that are not complete without it; itself, if it is one. */
  readonly owners: readonly Digest[];
  readonly parent: Digest | undefined;
  /** Whether no platform is hurt although its owners are for one. */
  readonly isSecondary?: boolean;
}

/** Which tags a defect breaks: all that lead to any of its owners, and the platform that it is for. */
export function locateDefect(
  { registry, repository }: Pick<RepositoryFacts, "registry" | "repository">,
  references: References,
  { kind, cause, digest, owners, parent, isSecondary = false }: Defect,
): Omit<RawFinding, "remedy"> {
  const reaches = owners.map(references.reachOf);
  const isForRealPlatform = !isSecondary && reaches.some((reach) => reach.isForRealPlatform);
  // A blob's platform is that of the image that it belongs to.
  const isManifest = kind === "manifest" || kind === "index-child";
  const shown = isManifest ? digest : (parent ?? digest);
  return {
    kind,
    cause,
    severity: isForRealPlatform && cause !== "unreadable" ? "critical" : "warning",
    registry,
    repository,
    digest,
    parent: parent ?? null,
    tags: [...new Set(reaches.flatMap((reach) => reach.tags))].sort(),
    platform: references.mainReference(shown)?.child.platform ?? null,
    place: null,
  };
}

/** Why a blob is not what an image needs; undefined when it is. */
export function faultOfBlob(
  state: BlobState,
  { digest, sizeBytes }: BlobDescriptor,
): FindingCause | undefined {
  if (state.state === "missing") return "blob-missing";
  if (state.state === "invalid") return "link-invalid";
  if (state.state === "unreadable") return "unreadable";
  if (state.sizeBytes === 0 && !isDigestOfNothing(digest)) return "blob-empty";
  if (sizeBytes !== null && state.sizeBytes !== sizeBytes) return "size-mismatch";
  return state.isAltered === true ? "digest-mismatch" : undefined;
}

/** A blob that is not what an image needs. */
export interface BadBlob {
  readonly digest: Digest;
  readonly role: BlobDescriptor["role"];
  readonly cause: FindingCause;
  /** The images that need it, and do not get it. */
  readonly owners: readonly Digest[];
}

/**
 * Every blob that manifests name and that is not as they need it, once, with all of these manifests. Nothing is collected
 * of what is sound, which is nearly everything.
 */
export function collectBadBlobs(
  manifests: ReadonlyMap<Digest, ManifestState>,
  faultOf: (blob: BlobDescriptor, owner: Digest) => FindingCause | undefined,
): readonly BadBlob[] {
  const bad = new Map<Digest, BadBlob & { readonly owners: Digest[] }>();
  for (const [owner, state] of manifests) {
    if (state.state !== "parsed") continue;
    for (const blob of state.manifest.blobs) {
      const cause = faultOf(blob, owner);
      if (!cause) continue;
      const known = bad.get(blob.digest);
      if (known) known.owners.push(owner);
      else bad.set(blob.digest, { digest: blob.digest, role: blob.role, cause, owners: [owner] });
    }
  }
  return [...bad.values()];
}

/** Of several manifests that need a blob, the one to name: one that runs somewhere, if any does. */
export function mainOwner(references: References, owners: readonly Digest[]): Digest | undefined {
  return owners.find((owner) => references.reachOf(owner).isForRealPlatform) ?? owners[0];
}

/**
 * Manifests that an index names with another length than they have: clients that compare, as containerd does, refuse
 * them.
 */
export function collectWrongSizes(
  manifests: ReadonlyMap<Digest, ManifestState>,
  references: References,
): readonly Defect[] {
  return [...manifests].flatMap(([digest, state]): readonly Defect[] => {
    if (state.state !== "parsed" || state.sizeBytes === undefined) return [];
    const { sizeBytes } = state;
    const mentions = references.mentioned.get(digest) ?? [];
    const wrong = mentions.filter(({ child }) => (child.sizeBytes ?? sizeBytes) !== sizeBytes);
    if (wrong.length === 0) return [];
    const owners = wrong.map(({ parent }) => parent);
    const parent = mainOwner(references, owners);
    const isSecondary = wrong.every(({ child }) => child.isAttestation);
    return [{ kind: "index-child", cause: "size-mismatch", digest, owners, parent, isSecondary }];
  });
}
