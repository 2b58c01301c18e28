import { type Digest, parseDigest } from "../registry/digest.ts";
import { tagHistoryPath } from "../registry/paths.ts";
import { isTagName } from "../registry/tag.ts";
import { collect } from "../source/bounded.ts";
import { readDigestLinks } from "../source/disk/link.ts";
import type { DiskSource } from "../source/disk/registry.ts";
import type { LinkFact, Unreadable } from "../source/source.ts";
import type { DamagedRepository, ImageNode, LinkHolding, Root } from "./facts.ts";
import { createImageReader, type RepositoryView } from "./read-image.ts";

/** One registry's store on this machine. */
export interface Store {
  readonly name: string;
  readonly dataDirectory: string;
  readonly source: DiskSource;
}

type SharedView = Omit<RepositoryView, "repository" | "revisionLink" | "layerLink">;

/** Everything that people pull from one repository, with what it lacks. */
export async function readDamaged(
  { name, dataDirectory, source }: Store,
  repository: string,
  shared: SharedView,
  onUnreadable: (fault: Unreadable) => void,
): Promise<DamagedRepository> {
  const tags = await readTagLinks(source.tags(repository), onUnreadable);
  const revisions = await readLinks(source.revisions(repository), onUnreadable);
  const layers = await readLinks(source.layerLinks(repository), onUnreadable);
  // The registry serves a manifest by a layer link too, where it has no other: 2.1.0 wrote those by mistake.
  const revisionLink = (digest: Digest) => {
    const own = revisions.of(digest);
    const other = own.state === "missing" ? layers.of(digest) : own;
    return other.state === "linked" ? other : own;
  };
  const view = { ...shared, repository, revisionLink, layerLink: layers.of };
  const readImage = createImageReader(view);
  const roots: Root[] = [];
  for (const tag of tags) roots.push(await readRoot(dataDirectory, repository, tag, readImage));
  const reached = new Set<Digest>();
  for (const root of roots) collectDigests("node" in root ? root.node : root.candidate, reached);
  for (const digest of revisions.names)
    if (!reached.has(digest)) {
      const node = await readImage(digest);
      // A lost child of an untagged index is reached from there, and no image of its own.
      collectDigests(node, reached);
      roots.push({ tag: null, node });
    }
  return { registry: name, repository, roots };
}

interface Links {
  readonly names: readonly Digest[];
  readonly of: (digest: Digest) => LinkHolding;
}

async function readLinks(
  facts: AsyncIterable<LinkFact>,
  onUnreadable: (fault: Unreadable) => void,
): Promise<Links> {
  const known = new Map<string, LinkHolding>();
  const names: Digest[] = [];
  let whole: Unreadable | undefined;
  for (const { name, link } of await collect(facts)) {
    if (link.state === "unreadable") onUnreadable(link);
    if (name === null) {
      whole = link.state === "unreadable" ? link : whole;
      continue;
    }
    const digest = parseDigest(name);
    if (digest && link.state === "linked") names.push(digest);
    known.set(name, link);
  }
  return { names: names.sort(), of: (digest) => known.get(digest) ?? whole ?? { state: "missing" } };
}

type TagLink = { readonly tag: string } & (
  | { readonly state: "linked"; readonly digest: Digest }
  | { readonly state: "lost"; readonly reason: string }
);

async function readTagLinks(
  facts: AsyncIterable<LinkFact>,
  onUnreadable: (fault: Unreadable) => void,
): Promise<readonly TagLink[]> {
  const tags: TagLink[] = [];
  for (const { name: tag, link } of await collect(facts)) {
    if (link.state === "unreadable") onUnreadable(link);
    // Under a name that no client can ask for, nothing was ever pulled.
    else if (tag === null || !isTagName(tag)) continue;
    else if (link.state === "linked") tags.push({ tag, state: "linked", digest: link.digest });
    else tags.push({ tag, state: "lost", reason: link.state === "missing" ? "is missing" : link.reason });
  }
  return tags.sort((a, b) => (a.tag < b.tag ? -1 : 1));
}

async function readRoot(
  dataDirectory: string,
  repository: string,
  link: TagLink,
  readImage: (digest: Digest) => Promise<ImageNode>,
): Promise<Root> {
  if (link.state === "linked") return { tag: link.tag, node: await readImage(link.digest) };
  const entries = await collect(readDigestLinks(tagHistoryPath(dataDirectory, repository, link.tag)));
  const [only, ...others] = entries.map(({ link }) => (link.state === "linked" ? link.digest : undefined));
  // One unusable entry is as much of a doubt as a second digest: nobody knows what the tag meant last.
  const candidate = only && others.length === 0 ? await readImage(only) : null;
  return { tag: link.tag, reason: link.reason, candidate };
}

function collectDigests(node: ImageNode | null, into: Set<Digest>): void {
  if (!node || into.has(node.digest)) return;
  into.add(node.digest);
  for (const child of node.children) collectDigests(child.node, into);
}
