import type { Digest } from "../registry/digest.ts";
import type { ChildDescriptor } from "../registry/manifest.ts";
import { subjectOfTag } from "../registry/tag.ts";
import type { RepositoryFacts } from "../source/facts.ts";

/** One mention of a manifest in an index. */
export interface Reference {
  readonly parent: Digest;
  readonly child: ChildDescriptor;
}

/** What needs a manifest. */
interface Reach {
  /** All tags that lead to it, directly or through indexes, sorted. */
  readonly tags: readonly string[];
  /** Whether a tag, or a request for it, leads to it other than as an attestation or a signature. */
  readonly isForRealPlatform: boolean;
}

/** What of a repository's facts its references are found in. */
type LinkedFacts = Pick<RepositoryFacts, "tags" | "roots" | "manifests">;

/** The references of one repository, from every end. */
export interface References {
  /** Every manifest that an index names, with all its mentions. */
  readonly mentioned: ReadonlyMap<Digest, readonly Reference[]>;
  /** What needs this manifest. Cost: the indexes above it. */
  reachOf(digest: Digest): Reach;
  /** The mention that matters most, for the report to name; undefined when no index names the manifest. */
  mainReference(digest: Digest): Reference | undefined;
}

/**
 * The references among a repository's manifests.
 *
 * An index whose own link is lost, but whose data survives, still counts: what it names is lost with it.
 * Errors: none; indexes that name each other in a circle are walked once.
 */
export function collectReferences(facts: LinkedFacts): References {
  const mentioned = collectMentions(facts);
  const tagsOf = collectTags(facts);
  const roots = new Set(facts.roots ?? []);
  const reachOf = (digest: Digest) => walkUp(digest, { mentioned, tagsOf, roots });
  return { mentioned, reachOf, mainReference: (digest) => chooseMain(mentioned.get(digest) ?? [], reachOf) };
}

function collectMentions(facts: LinkedFacts): Map<Digest, Reference[]> {
  const mentioned = new Map<Digest, Reference[]>();
  for (const [parent, state] of facts.manifests) {
    if (state.state !== "parsed") continue;
    for (const child of state.manifest.children) {
      const references = mentioned.get(child.digest);
      if (references) references.push({ parent, child });
      else mentioned.set(child.digest, [{ parent, child }]);
    }
  }
  return mentioned;
}

function collectTags(facts: LinkedFacts): Map<Digest, string[]> {
  const tagsOf = new Map<Digest, string[]>();
  for (const { name, link } of facts.tags) {
    if (name === null || link.state !== "linked") continue;
    const tags = tagsOf.get(link.digest);
    if (tags) tags.push(name);
    else tagsOf.set(link.digest, [name]);
  }
  return tagsOf;
}

interface Above {
  readonly mentioned: ReadonlyMap<Digest, readonly Reference[]>;
  readonly tagsOf: ReadonlyMap<Digest, readonly string[]>;
  readonly roots: ReadonlySet<Digest>;
}

function walkUp(start: Digest, { mentioned, tagsOf, roots }: Above): Reach {
  const tags = new Set<string>();
  const seen = new Map<Digest, boolean>();
  const waiting: [Digest, boolean][] = [[start, true]];
  let isForRealPlatform = false;
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [digest, isReal] = next;
    // Seen as real covers everything; seen as an attestation, it may still turn out to be real.
    if (seen.get(digest) === true || seen.get(digest) === isReal) continue;
    seen.set(digest, isReal);
    if (isReal && roots.has(digest)) isForRealPlatform = true;
    for (const tag of tagsOf.get(digest) ?? []) {
      tags.add(tag);
      if (isReal && !subjectOfTag(tag)) isForRealPlatform = true;
    }
    for (const { parent, child } of mentioned.get(digest) ?? [])
      waiting.push([parent, isReal && !child.isAttestation]);
  }
  return { tags: [...tags].sort(), isForRealPlatform };
}

function chooseMain(
  references: readonly Reference[],
  reachOf: (digest: Digest) => Reach,
): Reference | undefined {
  const ranked = references.map((reference) => {
    const { tags, isForRealPlatform } = reachOf(reference.parent);
    const weight = (isForRealPlatform && !reference.child.isAttestation ? 2 : 0) + (tags.length > 0 ? 1 : 0);
    return { reference, weight };
  });
  // By digest where the weight is equal: the same store must give the same report.
  ranked.sort((a, b) => b.weight - a.weight || compareText(a.reference.parent, b.reference.parent));
  return ranked[0]?.reference;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
