import type { Digest } from "../registry/digest.ts";
import { parseDigest } from "../registry/digest.ts";
import { layersPath, linkDirectory, revisionsPath } from "../registry/paths.ts";
import { lastWrite } from "../source/disk/files.ts";
import type { StoreFacts } from "../source/facts.ts";
import type { LinkFact } from "../source/source.ts";
import { type LinkAges, linkKey } from "./ages.ts";
import { createCompleteness } from "./completeness.ts";
import type { Damage } from "./mark.ts";
import { digestsOfLink, linkDamage, type Needs, needsOf, unparsableManifests } from "./needs.ts";
import type { LinkThing } from "./thing.ts";

/** What is known before a repository is marked. Times are milliseconds since 1970. */
export interface RepositoryRequest {
  readonly dataDirectory: string;
  readonly facts: StoreFacts;
  /** Besides the tags: digests that were overwritten lately, and digests in use. Those that are not linked are none. */
  readonly roots: readonly Digest[];
  readonly damage: readonly Damage[];
  /** Begin of the mark. */
  readonly now: number;
  /** What was written since is young. */
  readonly youngSince: number;
  /** What is unreached since then, or longer, is dead. */
  readonly deadSince: number;
  readonly ages: LinkAges | undefined;
  /** When a mark before this one saw links written, by their paths: at that very time a link is not young. */
  readonly seen?: ReadonlyMap<string, number> | undefined;
  /** Whether a digest is one of those that this run counts and removes. */
  readonly isMine: (digest: Digest) => boolean;
  /** Whether it is asked which tags are complete. */
  readonly withCompleteness: boolean;
}

/** Which links of one repository are reached. */
export interface RepositoryMark {
  readonly repository: string;
  readonly revisionLinks: number;
  readonly layerLinks: number;
  /** Manifest links that are reached. */
  readonly keptManifests: number;
  /** Digests that roots need, or that damage keeps. */
  readonly needed: ReadonlySet<Digest>;
  /** Digests that only spared links need. */
  readonly spared: ReadonlySet<Digest>;
  readonly unreached: readonly LinkThing[];
  readonly dead: readonly LinkThing[];
  /** Links that are unreached and younger than the grace. */
  readonly young: number;
  readonly damage: readonly Damage[];
  readonly completeTags: readonly (readonly [tag: string, digest: Digest])[];
}

/** Marks one repository: what its roots need, what is young or not dead for long enough and what that needs, and the rest. */
export function markRepository(request: RepositoryRequest): RepositoryMark {
  const { facts, isMine, withCompleteness } = request;
  const needs = needsOf(facts, rootsOf(request));
  const damage = [...request.damage, ...linkDamage(facts), ...withoutRepeats(needs, facts)];
  const isKeptWhole = damage.some(({ keeps }) => keeps !== "link");
  const needed = isKeptWhole ? everything(facts) : new Set([...needs.digests, ...ofInvalidLinks(facts)]);
  const { things, young } = isKeptWhole ? { things: [], young: [] } : unreachedLinks(request, needed);
  const { dead, spared } = divide(request, needed, things, young);
  return {
    repository: facts.repository,
    revisionLinks: countOf(facts.revisions, request),
    layerLinks: countOf(facts.layerLinks, request),
    keptManifests: countOf(
      facts.revisions.filter((link) => isNeeded(link, needed)),
      request,
    ),
    needed,
    spared,
    unreached: things.filter(({ digest }) => isMine(digest)),
    dead: dead.filter(({ digest }) => isMine(digest)),
    young: young.filter(({ digest }) => isMine(digest)).length,
    damage,
    completeTags: withCompleteness ? completeTags(facts).filter(([, digest]) => isMine(digest)) : [],
  };
}

function countOf(links: readonly LinkFact[], { isMine }: RepositoryRequest): number {
  return links.filter((link) => {
    const [digest] = digestsOfLink(link);
    return digest !== undefined && isMine(digest);
  }).length;
}

function rootsOf({ facts, roots }: RepositoryRequest): readonly Digest[] {
  const tagged = facts.tags.flatMap(({ link }) => (link.state === "linked" ? [link.digest] : []));
  if (roots.length === 0) return tagged;
  const linked = new Set(facts.revisions.flatMap(digestsOfLink));
  return [...tagged, ...roots.filter((digest) => linked.has(digest))];
}

function withoutRepeats(needs: Needs, facts: StoreFacts): readonly Damage[] {
  const known = new Set(needs.damage.map(({ place }) => place));
  return [...needs.damage, ...[...unparsableManifests(facts)].filter(({ place }) => !known.has(place))];
}

/** All that a repository links, and what that needs. */
function everything(facts: StoreFacts): ReadonlySet<Digest> {
  const linked = [...facts.tags, ...facts.revisions].flatMap(digestsOfLink);
  return new Set([...needsOf(facts, linked).digests, ...facts.layerLinks.flatMap(digestsOfLink)]);
}

/** What links are named by that are of no use as they are: a repair may write them again. */
function ofInvalidLinks({ revisions, layerLinks }: StoreFacts): readonly Digest[] {
  return [...revisions, ...layerLinks]
    .filter(({ link }) => link.state === "invalid")
    .flatMap(({ name }) => parseDigest(name ?? "") ?? []);
}

function isNeeded(link: LinkFact, needed: ReadonlySet<Digest>): boolean {
  if (link.link.state === "linked" && needed.has(link.link.digest)) return true;
  return digestsOfLink(link).some((digest) => needed.has(digest));
}

function unreachedLinks(
  { dataDirectory, facts, ages, now, youngSince, seen }: RepositoryRequest,
  needed: ReadonlySet<Digest>,
) {
  const { repository } = facts;
  const things: LinkThing[] = [];
  const young: LinkThing[] = [];
  const add = (kind: LinkThing["kind"], base: string, links: readonly LinkFact[]) => {
    for (const link of links) {
      const digest = parseDigest(link.name ?? "");
      if (!digest || isNeeded(link, needed)) continue;
      const path = linkDirectory(base, digest);
      const writtenAt = lastWrite(path, "link");
      // It went meanwhile.
      if (writtenAt === undefined) continue;
      const since = unreachedSince(ages?.get(linkKey(kind, digest)), writtenAt, now);
      const thing = { kind, repository, digest, path, writtenAt, unreachedSince: since };
      const isYoung = writtenAt >= youngSince && seen?.get(path) !== writtenAt;
      (isYoung ? young : things).push(thing);
    }
  };
  add("revision-link", revisionsPath(dataDirectory, repository), facts.revisions);
  add("layer-link", layersPath(dataDirectory, repository), facts.layerLinks);
  return { things, young };
}

/** What was written again since a mark found it unreached, a client had a use for. */
export function unreachedSince(recorded: number | undefined, writtenAt: number, now: number): number {
  return Math.min(now, Math.max(recorded ?? now, writtenAt));
}

/** What is spared keeps what it needs: a manifest stays complete until it goes itself. */
function divide(
  { facts, deadSince }: RepositoryRequest,
  needed: ReadonlySet<Digest>,
  things: readonly LinkThing[],
  young: readonly LinkThing[],
): { readonly dead: readonly LinkThing[]; readonly spared: ReadonlySet<Digest> } {
  const waiting = [...young, ...things.filter(({ unreachedSince }) => unreachedSince > deadSince)];
  if (waiting.length === 0) return { dead: things, spared: new Set() };
  const digests = waiting.map(({ digest }) => digest);
  const manifests = waiting.filter(({ kind }) => kind === "revision-link").map(({ digest }) => digest);
  const spared = new Set<Digest>([...needsOf(facts, manifests).digests, ...digests]);
  const targets = [...facts.revisions, ...facts.layerLinks].filter((link) => isNeeded(link, spared));
  for (const digest of targets.flatMap(digestsOfLink)) if (!needed.has(digest)) spared.add(digest);
  const dead = things.filter(
    ({ digest, unreachedSince }) => unreachedSince <= deadSince && !spared.has(digest),
  );
  return { dead, spared };
}

function completeTags(facts: StoreFacts): readonly (readonly [string, Digest])[] {
  const isComplete = createCompleteness(facts);
  return facts.tags.flatMap(({ name, link }) =>
    name !== null && link.state === "linked" && isComplete(link.digest) ? [[name, link.digest] as const] : [],
  );
}
