import { viewStore } from "../graph/store-view.ts";
import { type Digest, isDigestOfNothing } from "../registry/digest.ts";
import { collect } from "../source/bounded.ts";
import type { StoreFacts } from "../source/facts.ts";
import { readStoreFacts } from "../source/read-store.ts";
import type { BlobState, LinkFact, ManifestState, StoreSource, Unreadable } from "../source/source.ts";
import type { VerifiedBlobs } from "../source/verified-blobs.ts";
import {
  childrenOf,
  collectReach,
  type DamagedRepository,
  manifestOf,
  rootsOf,
} from "./damaged-repository.ts";
import { findCanonical } from "./find-canonical.ts";
import type { CopySearch, ParsedManifest } from "./find-copies.ts";
import { blobNeeds, ownNeed, targetOf, wrongSizeOf } from "./needs.ts";
import type { Suspicion } from "./suspicions.ts";

/** What repositories of one registry are read with. */
export interface DamageReads {
  readonly source: StoreSource;
  readonly verified: VerifiedBlobs;
  readonly copies: CopySearch;
  /** Called for what could not be read. */
  readonly onUnreadable: (fault: Unreadable) => void;
}

/**
 * Reads one repository again, by every byte where its images are damaged, and finds copies of what they lack. Only
 * what damaged images reach is kept.
 *
 * Errors: those of {@link CopySearch}.
 */
export async function readDamaged(reads: DamageReads, suspicion: Suspicion): Promise<DamagedRepository> {
  const history = await readHistory(reads.source, suspicion);
  const { facts, copied } = await readFacts(reads, suspicion.repository, [...history.values()]);
  const blobs = new Map<Digest, BlobState>();
  const canonical = new Map<Digest, Digest | null>();
  const blob = (digest: Digest) => blobs.get(digest) ?? { state: "missing" as const };
  const repository = { view: viewStore({ ...facts, blob }), copied, history, canonical };
  const damaged = await verifyDamaged(repository, { ...reads, blobs, canonical }, suspicion.altered);
  await findCopies(repository, damaged, reads.copies);
  return keepDamaged(repository, damaged);
}

/** What a tag without a usable link led to, where that was one manifest alone. */
async function readHistory(
  source: StoreSource,
  { repository, lostTags }: Suspicion,
): Promise<ReadonlyMap<string, Digest>> {
  const history = new Map<string, Digest>();
  for (const tag of lostTags) {
    // An unusable entry is as much of a doubt as a second digest: what the tag led to last is unknown.
    const [only, ...others] = await collect(source.tagHistory(repository, tag));
    if (only?.link.state === "linked" && others.length === 0) history.set(tag, only.link.digest);
  }
  return history;
}

/** The facts of the store, read on below the manifests that it lost where another registry has them. */
async function readFacts(
  { source, verified, copies }: DamageReads,
  repository: string,
  roots: readonly Digest[],
): Promise<{
  readonly facts: StoreFacts;
  readonly copied: DamagedRepository["copied"];
}> {
  const lost = new Map<Digest, ManifestState>();
  const manifest = async (_repository: string, digest: Digest) => {
    const own = await withBytes(await source.manifest(repository, digest), digest, verified);
    if (own.state === "parsed" || own.state === "unreadable") return own;
    lost.set(digest, own);
    return (await copies.findManifest(repository, digest)) ?? own;
  };
  const blob = () => ({ state: "missing" as const });
  const facts = await readStoreFacts(source, "authoritative", repository, { roots, manifest, blob });
  const manifests = new Map<Digest, ManifestState>();
  const copied = new Map<Digest, ParsedManifest>();
  for (const [digest, state] of facts.manifests) {
    const own = lost.get(digest);
    manifests.set(digest, own ?? state);
    if (own && state.state === "parsed") copied.set(digest, state);
  }
  return { facts: { ...facts, manifests }, copied };
}

/** What is too long for a manifest may be another file's bytes. */
async function withBytes(
  state: ManifestState,
  digest: Digest,
  verified: VerifiedBlobs,
): Promise<ManifestState> {
  if (state.state !== "unreadable" || state.isUnparsable !== true) return state;
  const blob = await verified(digest);
  return blob.state === "present" && blob.isAltered === true ? { state: "altered" } : state;
}

type Reading = DamageReads & {
  /** Filled in. */
  readonly blobs: Map<Digest, BlobState>;
  /** Filled in. */
  readonly canonical: Map<Digest, Digest | null>;
};

/**
 * Damaged manifests. Everything that these name was read to its end: a link must lead to sound content. What that shows
 * may concern others too.
 */
async function verifyDamaged(
  repository: DamagedRepository,
  reading: Reading,
  altered: Suspicion["altered"],
): Promise<ReadonlySet<Digest>> {
  const { source, blobs } = reading;
  const { facts } = repository.view;
  const known = [...facts.manifests.keys()];
  for (const digest of known)
    for (const blob of manifestOf(repository, digest)?.manifest.blobs ?? []) {
      const target = targetOf(repository, blob.digest);
      if (!blobs.has(target)) blobs.set(target, await source.blob(facts.repository, target));
    }
  const isSuspected = (digest: Digest) =>
    blobNeeds(repository, digest).some((need) => altered.has(need.digest));
  const damaged = new Set<Digest>();
  for (let found = known; found.length > 0; ) {
    found = known.filter(
      (digest) => !damaged.has(digest) && (isDamaged(repository, digest) || isSuspected(digest)),
    );
    for (const digest of found) {
      damaged.add(digest);
      await verifyBlobs(repository, digest, reading);
    }
  }
  return new Set([...damaged].filter((digest) => isDamaged(repository, digest)));
}

function isDamaged(repository: DamagedRepository, digest: Digest): boolean {
  const needs = [ownNeed(repository, digest), ...blobNeeds(repository, digest)];
  if (needs.some(({ content, link }) => content || link)) return true;
  return childrenOf(repository, digest).some((child) => wrongSizeOf(repository, child) !== undefined);
}

async function verifyBlobs(repository: DamagedRepository, digest: Digest, reading: Reading): Promise<void> {
  const { verified, blobs, canonical, onUnreadable } = reading;
  for (const blob of manifestOf(repository, digest)?.manifest.blobs ?? []) {
    const found = await findCanonical(blob, repository.view, reading);
    if (found !== undefined) canonical.set(blob.digest, found);
    const target = targetOf(repository, blob.digest);
    const state = await verified(target);
    if (state.state === "unreadable") onUnreadable(state);
    blobs.set(target, state);
  }
}

/** Nothing is fetched for what no tag leads to, so no source is asked for it either. */
async function findCopies(
  repository: DamagedRepository,
  damaged: ReadonlySet<Digest>,
  copies: CopySearch,
): Promise<void> {
  const tagged = rootsOf(repository).flatMap(({ tag, digest }) => (tag === null ? [] : (digest ?? [])));
  for (const digest of collectReach(repository, tagged)) {
    if (!damaged.has(digest)) continue;
    // Of nothing there is nothing to copy.
    for (const need of blobNeeds(repository, digest))
      if (need.content?.canReplace && !isDigestOfNothing(need.target))
        await copies.findBlob(repository.view.facts.repository, need.target, need.digest);
  }
}

/** The same without the images that lack nothing, so that not all of a large store lies in memory. */
function keepDamaged(repository: DamagedRepository, damaged: ReadonlySet<Digest>): DamagedRepository {
  const { facts } = repository.view;
  const isDamagedRoot = (digest: Digest) =>
    [...collectReach(repository, [digest])].some((one) => damaged.has(one));
  const roots = rootsOf(repository).flatMap(({ digest }) => digest ?? []);
  const damagedRoots = new Set([...roots.filter(isDamagedRoot), ...repository.history.values()]);
  const reach = collectReach(repository, damagedRoots);
  const blobs = new Map<Digest, BlobState>();
  const named = new Set<string | null>([null, ...reach]);
  for (const digest of reach)
    for (const { digest: name, target } of blobNeeds(repository, digest)) {
      named.add(name);
      blobs.set(target, facts.blob(target));
    }
  const areNamed = (links: readonly LinkFact[]) => links.filter(({ name }) => named.has(name));
  const kept: StoreFacts = {
    ...facts,
    tags: facts.tags.filter(({ link }) => link.state !== "linked" || damagedRoots.has(link.digest)),
    revisions: areNamed(facts.revisions),
    layerLinks: areNamed(facts.layerLinks),
    manifests: new Map([...facts.manifests].filter(([digest]) => reach.has(digest))),
    blob: (digest) => blobs.get(digest) ?? { state: "missing" },
  };
  return { ...repository, view: viewStore(kept) };
}
