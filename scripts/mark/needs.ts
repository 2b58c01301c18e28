import { reachFrom } from "../graph/reachability.ts";
import { type Digest, parseDigest } from "../registry/digest.ts";
import { canonicalDigests, type StoreFacts } from "../source/facts.ts";
import type { LinkFact } from "../source/source.ts";
import type { Damage } from "./mark.ts";

/** What some roots of one repository need. */
export interface Needs {
  /** Digests by which links are named, and those under which the store keeps blobs, in one set. */
  readonly digests: ReadonlySet<Digest>;
  /** Needed manifests whose content is unknown, so that what they need is unknown. */
  readonly damage: readonly Damage[];
}

/** Everything that the given manifests of a repository need, aliases and blobs included. */
export function needsOf(facts: StoreFacts, roots: Iterable<Digest>): Needs {
  const wanted = [...roots];
  const { manifests, blobs, unknown } = reachFrom(facts, wanted);
  const digests = new Set<Digest>([...blobs, ...manifests]);
  return { digests, damage: [...damageOf(facts, new Set(wanted), manifests, unknown)] };
}

/** A subject, unlike an entry of an index, may be missing: a signature can be pushed before the image that it is about. */
function* damageOf(
  facts: StoreFacts,
  roots: ReadonlySet<Digest>,
  manifests: ReadonlySet<Digest>,
  unknown: ReadonlySet<Digest>,
): Generator<Damage> {
  if (unknown.size > 0) {
    const asked = new Set(roots);
    for (const digest of manifests) for (const child of childrenOf(facts, digest)) asked.add(child);
    const linked = new Set(facts.revisions.map(({ name }) => name));
    for (const digest of unknown)
      if (asked.has(digest) || linked.has(digest))
        yield manifestDamage(facts, digest, describeManifest(facts, digest));
  }
  yield* aliasDamage(facts, manifests);
}

function childrenOf({ manifests }: StoreFacts, digest: Digest): readonly Digest[] {
  const state = manifests.get(digest);
  return state?.state === "parsed" ? state.manifest.children.map((child) => child.digest) : [];
}

/** Where what was pushed by another algorithm lies, only its link says. */
function* aliasDamage(facts: StoreFacts, manifests: ReadonlySet<Digest>): Generator<Damage> {
  const canonical = canonicalDigests(facts);
  for (const digest of manifests) {
    const state = facts.manifests.get(digest);
    if (state?.state !== "parsed") continue;
    for (const { digest: blob } of state.manifest.blobs) {
      if (blob.startsWith("sha256:") || canonical(blob) !== blob || facts.blob(blob).state === "present")
        continue;
      yield manifestDamage(facts, blob, `has no usable link, so it is unknown which blob ${digest} needs`);
    }
  }
}

/** Manifests that are linked and unparsable: they may be about any other. */
export function* unparsableManifests(facts: StoreFacts): Generator<Damage> {
  for (const { name } of facts.revisions) {
    const digest = parseDigest(name ?? "");
    const state = digest && facts.manifests.get(digest);
    if (!digest || !state || state.state === "parsed" || state.state === "missing") continue;
    yield manifestDamage(facts, digest, describeManifest(facts, digest));
  }
}

function manifestDamage({ repository, manifests }: StoreFacts, digest: Digest, reason: string): Damage {
  const state = manifests.get(digest);
  const isUnreadable = state?.state === "unreadable" && state.isUnparsable !== true;
  return { repository, place: digest, reason, keeps: "blobs", isUnreadable };
}

function describeManifest({ manifests }: StoreFacts, digest: Digest): string {
  const state = manifests.get(digest);
  switch (state?.state) {
    case undefined:
    case "missing":
      return "is needed, and its content is missing, so it is unknown what it needs";
    case "empty":
      return "is an empty file, so it is unknown what it needs";
    case "altered":
      return "has other bytes than its digest stands for, so it is unknown what it needs";
    case "unreadable":
      return state.isUnparsable ? `is no manifest: it ${state.reason}` : `cannot be read: ${state.reason}`;
    default:
      return "is of no use, so it is unknown what it needs";
  }
}

/** What is wrong with the links of a repository. */
export function* linkDamage({ repository, tags, revisions, layerLinks }: StoreFacts): Generator<Damage> {
  for (const { link } of tags) {
    if (link.state === "unreadable") yield unreadableDamage(repository, link);
    // It is unknown what the tag led to, so all that the repository has may be that.
    else if (link.state !== "linked") {
      const reason = link.state === "missing" ? "is missing" : link.reason;
      yield { repository, place: link.location, reason, keeps: "repository", isUnreadable: false };
    }
  }
  for (const { name, link } of [...revisions, ...layerLinks]) {
    if (link.state === "unreadable") yield unreadableDamage(repository, link);
    else if (link.state === "invalid") {
      const keeps = isKnownName(name) ? "link" : "repository";
      yield { repository, place: link.location, reason: link.reason, keeps, isUnreadable: false };
    }
  }
}

/** Names of another form, such as those of an algorithm that came later, say nothing about their blobs. */
function isKnownName(name: string | null): boolean {
  return parseDigest(name ?? "") !== undefined;
}

export function unreadableDamage(
  repository: string | null,
  { location, reason }: { readonly location: string; readonly reason: string },
): Damage {
  return {
    repository,
    place: location,
    reason: `cannot be read: ${reason}`,
    keeps: "blobs",
    isUnreadable: true,
  };
}

/** Digests that a link stands for: that by which it is named, and that which it holds. */
export function digestsOfLink({ name, link }: LinkFact): readonly Digest[] {
  // Nearly all links hold what they are named by.
  if (link.state === "linked" && link.digest === name) return [link.digest];
  const named = parseDigest(name ?? "");
  return [...(named ? [named] : []), ...(link.state === "linked" ? [link.digest] : [])];
}
