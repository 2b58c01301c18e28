import type { VerifiedPlatform } from "../../contract/verify-report.ts";
import type { Digest } from "../registry/digest.ts";
import { isSamePlatform, serves } from "../registry/platform.ts";
import type { ImageFacts } from "../source/read-image.ts";
import type { RawFinding } from "./raw-finding.ts";
import { collectReferences, type References } from "./references.ts";
import { findServedFaults } from "./served.ts";

/** An image of an index, or the only one. */
export interface Leaf extends VerifiedPlatform {
  readonly digest: Digest;
  /** What the index says; null without an index, or where it says nothing. */
  readonly promised: string | null;
}

/**
 * Everything that is wrong with one image, all at once. `reference`: the name that it was asked for by. `expected`:
 * platforms that it must be there for.
 */
export function findImageFaults(
  facts: ImageFacts,
  reference: string,
  expected: readonly string[],
): readonly RawFinding[] {
  const { root, served } = facts;
  const found = findServedFaults(served).map((finding) => asImageFinding(facts, reference, finding));
  const top = root === null ? undefined : served.manifests.get(root);
  const moved = findMoved(facts, reference);
  // Without the top it is unknown what it offers, and that it is missing is a finding already.
  if (top?.state !== "parsed") return [...found, ...moved];
  return [...found, ...moved, ...findPlatformFaults(facts, reference, expected)];
}

function asImageFinding({ root }: ImageFacts, reference: string, finding: RawFinding): RawFinding {
  const isTop = finding.kind === "tag" || finding.digest === root;
  if (!isTop || finding.cause !== "link-missing") return finding;
  return { ...finding, cause: "absent", severity: "critical", detail: { reference } };
}

function findMoved(facts: ImageFacts, reference: string): readonly RawFinding[] {
  const { root, besideDigest } = facts;
  if (root === null || besideDigest === null || besideDigest === root) return [];
  return [{ ...common(facts, reference), kind: "tag", cause: "tag-moved", digest: besideDigest }];
}

function findPlatformFaults(
  facts: ImageFacts,
  reference: string,
  expected: readonly string[],
): readonly RawFinding[] {
  const leaves = collectLeaves(facts).filter(({ isAttestation }) => !isAttestation);
  const base = common(facts, reference);
  const missing = { ...base, kind: "index-child", cause: "platform-missing" } as const;
  if (leaves.length === 0 && expected.length === 0) return isOfBlobs(facts) ? [] : [missing];
  const offered = leaves.flatMap(({ platform }) => platform ?? []);
  const lacking = expected.filter((wanted) => !offered.some((offer) => serves(offer, wanted)));
  return [
    ...lacking.map((platform) => ({ ...missing, platform, detail: { reference, offered } })),
    ...leaves.flatMap((leaf) => findMismatch(facts, reference, leaf)),
  ];
}

/** Whether indexes name blobs in the end: a build cache or another artifact is complete without any platform. */
function isOfBlobs({ served }: ImageFacts): boolean {
  const manifests = [...served.manifests.values()].flatMap((state) =>
    state.state === "parsed" ? [state.manifest] : [],
  );
  return manifests.some(({ type, blobs }) => type === "index" && blobs.length > 0);
}

function findMismatch(facts: ImageFacts, reference: string, leaf: Leaf): readonly RawFinding[] {
  const { digest, promised } = leaf;
  const actual = facts.configured.get(digest);
  if (promised === null || actual === undefined || isSamePlatform(promised, actual)) return [];
  const about = { kind: "index-child", cause: "platform-mismatch", digest, platform: promised } as const;
  return [{ ...common(facts, reference), ...about, parent: facts.root, detail: { reference, actual } }];
}

function common({ served, root }: ImageFacts, reference: string) {
  return {
    severity: "critical",
    registry: served.registry,
    repository: served.repository,
    digest: root,
    parent: null,
    tags: served.tags.flatMap(({ name }) => name ?? []),
    platform: null,
    place: null,
    remedy: "rebuild",
    detail: { reference },
  } as const;
}

/** All images below the top, or the top where it is one itself. */
export function collectLeaves(facts: ImageFacts): readonly Leaf[] {
  const references = collectReferences(facts.served);
  const named = [...references.mentioned.keys()];
  const all = facts.root === null ? [] : [facts.root, ...named.filter((digest) => digest !== facts.root)];
  return all.flatMap((digest) => toLeaf(facts, references, digest));
}

function toLeaf({ served, configured }: ImageFacts, references: References, digest: Digest): readonly Leaf[] {
  const state = served.manifests.get(digest);
  if (state?.state === "parsed" && state.manifest.type === "index") return [];
  const child = references.mainReference(digest)?.child;
  const promised = child?.platform ?? null;
  const platform = promised ?? configured.get(digest) ?? null;
  const blobs = state?.state === "parsed" ? state.manifest.blobs.length : 0;
  return [{ digest, platform, promised, isAttestation: child?.isAttestation ?? false, blobs }];
}
