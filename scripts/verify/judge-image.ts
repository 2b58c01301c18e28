import type { Finding } from "../../contract/scan-report.ts";
import type { VerifiedPlatform, VerifyFinding } from "../../contract/verify-report.ts";
import { collectReferences, type References } from "../graph/references.ts";
import { findBrokenParts } from "../graph/served-parts.ts";
import type { Digest } from "../registry/digest.ts";
import { isSamePlatform, serves } from "../registry/platform.ts";
import type { ManifestState } from "../source/source.ts";
import {
  absentMessage,
  alteredMessage,
  mismatchMessage,
  movedMessage,
  nothingMessage,
  platformMessage,
  withName,
} from "./messages.ts";
import type { ImageFacts } from "./read-image.ts";

/** An image of an index, or the only one. */
export interface Leaf extends VerifiedPlatform {
  readonly digest: Digest;
  /** What the index says; null without an index, or where it says nothing. */
  readonly promised: string | null;
}

/** Everything that is wrong with one image, all at once. `expected`: platforms that it must be there for. */
export function judgeImage(
  facts: ImageFacts,
  reference: string,
  expected: readonly string[],
): readonly VerifyFinding[] {
  const found = [...findBrokenParts(facts.served), ...findAltered(facts)].map((finding) =>
    toVerifyFinding(facts, reference, finding),
  );
  const { root, served } = facts;
  const top = root === null ? undefined : served.manifests.get(root);
  // Without the top nothing can be said about what it offers, and that it is not there is a finding already.
  if (top?.state !== "parsed") return [...found, ...findMoved(facts, reference)];
  return [...found, ...findMoved(facts, reference), ...findPlatformFaults(facts, reference, expected)];
}

function toVerifyFinding({ root, served }: ImageFacts, reference: string, finding: Finding): VerifyFinding {
  const isTop = finding.kind === "tag" || finding.digest === root;
  if (isTop && finding.cause === "link-missing")
    return { ...finding, cause: "absent", severity: "critical", message: absentMessage(reference) };
  return { ...finding, message: withName(finding.message, served.registry, served.repository, root) };
}

function findMoved(facts: ImageFacts, reference: string): readonly VerifyFinding[] {
  const { root, besideDigest } = facts;
  if (root === null || besideDigest === null || besideDigest === root) return [];
  const message = movedMessage(reference, besideDigest);
  return [{ ...common(facts), kind: "tag", cause: "tag-moved", digest: besideDigest, message }];
}

function findAltered({ served, altered }: ImageFacts): readonly Finding[] {
  const references = collectReferences(served);
  return [...served.manifests].flatMap(([owner, state]) =>
    state.state === "parsed" && state.manifest.type === "image"
      ? state.manifest.blobs
          .filter(({ digest }) => altered.has(digest))
          .map(({ digest, role }): Finding => {
            const { tags, isForRealPlatform } = references.reachOf(owner);
            return {
              kind: role,
              cause: "digest-mismatch",
              severity: isForRealPlatform ? "critical" : "warning",
              registry: served.registry,
              repository: served.repository,
              digest,
              parent: owner,
              tags,
              platform: references.mainReference(owner)?.child.platform ?? null,
              remedy: "rebuild",
              message: alteredMessage(role, digest, owner),
            };
          })
      : [],
  );
}

function findPlatformFaults(
  facts: ImageFacts,
  reference: string,
  expected: readonly string[],
): readonly VerifyFinding[] {
  const leaves = collectLeaves(facts).filter(({ isAttestation }) => !isAttestation);
  const missing = { ...common(facts), kind: "index-child", cause: "platform-missing" } as const;
  if (leaves.length === 0) return [{ ...missing, message: nothingMessage(reference) }];
  const offered = leaves.flatMap(({ platform }) => platform ?? []);
  const lacking = expected.filter((wanted) => !offered.some((offer) => serves(offer, wanted)));
  return [
    ...lacking.map((platform) => ({
      ...missing,
      platform,
      message: platformMessage(reference, platform, offered),
    })),
    ...leaves.flatMap((leaf) => findMismatch(facts, reference, leaf)),
  ];
}

function findMismatch(facts: ImageFacts, reference: string, leaf: Leaf): readonly VerifyFinding[] {
  const { digest, promised } = leaf;
  const actual = facts.configured.get(digest);
  if (promised === null || actual === undefined || isSamePlatform(promised, actual)) return [];
  const message = mismatchMessage(reference, digest, promised, actual);
  const about = { kind: "index-child", cause: "platform-mismatch", digest, platform: promised } as const;
  return [{ ...common(facts), ...about, parent: facts.root, message }];
}

function common({ served, root }: ImageFacts) {
  return {
    severity: "critical",
    registry: served.registry,
    repository: served.repository,
    digest: root,
    parent: null,
    tags: served.tags.flatMap(({ name }) => name ?? []),
    platform: null,
    remedy: "rebuild",
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
  const state: ManifestState | undefined = served.manifests.get(digest);
  if (state?.state === "parsed" && state.manifest.type === "index") return [];
  const child = references.mainReference(digest)?.child;
  const promised = child?.platform ?? null;
  const platform = promised ?? configured.get(digest) ?? null;
  const blobs =
    state?.state === "parsed" && state.manifest.type === "image" ? state.manifest.blobs.length : 0;
  return [{ digest, platform, promised, isAttestation: child?.isAttestation ?? false, blobs }];
}
