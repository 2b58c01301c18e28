import { type Dirent, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * What a collection of one registry should remove, worked out from the files alone and as simply as can be: it reads all at
 * once, knows nothing but JSON, and shares no line with the programs that it judges.
 */

/** One link of a repository: the digest that its directory spells, and the one that it holds. */
interface Link {
  readonly name: string;
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly writtenAt: number;
  /** The link's directory, below the data directory. */
  readonly path: string;
}

interface Tag {
  readonly name: string;
  readonly digest: string;
  readonly writtenAt: number;
  readonly history: readonly Link[];
}

interface Repository {
  readonly name: string;
  readonly tags: readonly Tag[];
  readonly revisions: ReadonlyMap<string, Link>;
  readonly layers: ReadonlyMap<string, Link>;
}

export interface StoreImage {
  readonly repositories: readonly Repository[];
  /** By canonical digest: when it was written, and its length in bytes. */
  readonly blobs: ReadonlyMap<string, { readonly writtenAt: number; readonly bytes: number }>;
  readonly textOf: (blob: string) => string | undefined;
}

const store = "docker/registry/v2";

/** Everything of a store but the contents of its blobs. */
export function readStoreImage(directory: string): StoreImage {
  const blobs = new Map<string, { writtenAt: number; bytes: number }>();
  for (const algorithm of names(join(directory, store, "blobs")))
    for (const prefix of names(join(directory, store, "blobs", algorithm)))
      for (const hex of names(join(directory, store, "blobs", algorithm, prefix))) {
        const path = join(directory, store, "blobs", algorithm, prefix, hex, "data");
        if (!existsSync(path)) continue;
        const { mtimeMs, size } = statSync(path);
        blobs.set(`${algorithm}:${hex}`, { writtenAt: mtimeMs, bytes: size });
      }
  return {
    repositories: repositoriesBelow(directory, ""),
    blobs,
    textOf: (blob) => {
      const [algorithm = "", hex = ""] = blob.split(":");
      const path = join(directory, store, "blobs", algorithm, hex.slice(0, 2), hex, "data");
      return existsSync(path) ? readFileSync(path, "utf8") : undefined;
    },
  };
}

function entries(path: string): readonly Dirent[] {
  return existsSync(path) ? readdirSync(path, { withFileTypes: true }) : [];
}

function names(path: string): readonly string[] {
  return entries(path).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

function repositoriesBelow(directory: string, name: string): readonly Repository[] {
  const inner = names(join(directory, store, "repositories", name));
  const own = inner.some((one) => one === "_manifests" || one === "_layers");
  const below = inner.filter((one) => !one.startsWith("_"));
  return [
    ...(own ? [readRepository(directory, name)] : []),
    ...below.flatMap((one) => repositoriesBelow(directory, name === "" ? one : `${name}/${one}`)),
  ];
}

function readRepository(directory: string, name: string): Repository {
  const base = join(store, "repositories", name);
  const tags = join(base, "_manifests/tags");
  const byName = (links: readonly Link[]) => new Map(links.map((link) => [link.name, link]));
  return {
    name,
    tags: names(join(directory, tags)).flatMap((tag) => {
      const path = join(directory, tags, tag, "current/link");
      if (!existsSync(path)) return [];
      const digest = readFileSync(path, "utf8");
      const history = linksBelow(directory, join(tags, tag, "index"));
      return [{ name: tag, digest, writtenAt: statSync(path).mtimeMs, history }];
    }),
    revisions: byName(linksBelow(directory, join(base, "_manifests/revisions"))),
    layers: byName(linksBelow(directory, join(base, "_layers"))),
  };
}

function linksBelow(directory: string, base: string): readonly Link[] {
  return names(join(directory, base)).flatMap((algorithm) =>
    names(join(directory, base, algorithm)).flatMap((hex) => {
      const path = join(base, algorithm, hex);
      const file = join(directory, path, "link");
      if (!existsSync(file)) return [];
      const digest = readFileSync(file, "utf8");
      return [{ name: `${algorithm}:${hex}`, digest, writtenAt: statSync(file).mtimeMs, path }];
    }),
  );
}

/** Every string that stands under `digest` or `blobSum`, at any depth. */
function digestsIn(value: unknown, found: string[] = []): readonly string[] {
  if (typeof value !== "object" || value === null) return found;
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === "string" && (key === "digest" || key === "blobSum")) found.push(inner);
    digestsIn(inner, found);
  }
  return found;
}

function parsed(text: string | undefined): { readonly subject?: { readonly digest?: string } } | undefined {
  try {
    const value = JSON.parse(text ?? "") as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What linked manifests are about. */
export function subjectsIn({ repositories, textOf }: StoreImage): ReadonlySet<string> {
  const links = repositories.flatMap(({ revisions }) => [...revisions.values()]);
  return new Set(links.flatMap(({ digest }) => parsed(textOf(digest))?.subject?.digest ?? []));
}

/** What some manifests of a repository need: names of links, and blobs by their canonical digests. */
interface Needed {
  readonly names: ReadonlySet<string>;
  readonly blobs: ReadonlySet<string>;
}

/** All that the roots name, whatever is about that, and all that this names. */
export function neededBy(image: StoreImage, repository: Repository, roots: readonly string[]): Needed {
  const canonical = (name: string) =>
    repository.revisions.get(name)?.digest ?? repository.layers.get(name)?.digest ?? name;
  const documents = new Map(
    [...repository.revisions.keys()].map((name) => [name, parsed(image.textOf(canonical(name)))]),
  );
  const needed = new Set<string>();
  const waiting = [...roots];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (needed.has(name)) continue;
    needed.add(name);
    for (const [other, document] of documents) if (document?.subject?.digest === name) waiting.push(other);
    if (repository.revisions.has(name)) waiting.push(...digestsIn(documents.get(name)));
  }
  return { names: needed, blobs: new Set([...needed].map(canonical)) };
}

export interface IdealOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly graceMs: number;
  readonly overwrittenMs: number;
}

export interface IdealCollection {
  /** Canonical digests. */
  readonly blobs: ReadonlySet<string>;
  /** Directories of links below the data directory that must go. */
  readonly links: ReadonlySet<string>;
  /** Directories of links that must stay; of those in neither set, either is right. */
  readonly keptLinks: ReadonlySet<string>;
  readonly bytes: number;
}

/** What no tag needs, less what is young: a young manifest keeps what it names, a young link its blob. */
export function idealCollection(image: StoreImage, options: IdealOptions): IdealCollection {
  const { now, graceMs, overwrittenMs } = options;
  const isYoung = (at: number) => now - at < graceMs;
  const reached = new Set<string>();
  const links = new Set<string>();
  const keptLinks = new Set<string>();
  for (const repository of image.repositories) {
    const history = repository.tags.flatMap((tag) => pointedToSince(tag, now - overwrittenMs));
    const all = [...repository.revisions.values(), ...repository.layers.values()];
    const young = all.filter(({ writtenAt }) => isYoung(writtenAt));
    const roots = [
      ...repository.tags.map(({ digest }) => digest),
      ...history.map(({ digest }) => digest),
      ...young.map(({ name }) => name),
    ];
    const needed = neededBy(image, repository, roots);
    for (const blob of needed.blobs) reached.add(blob);
    for (const { name, digest, path } of all) {
      if (needed.names.has(name)) keptLinks.add(path);
      else if (!needed.blobs.has(digest)) links.add(path);
    }
  }
  const dead = [...image.blobs].filter(
    ([digest, { writtenAt }]) => !reached.has(digest) && !isYoung(writtenAt),
  );
  const bytes = dead.reduce((sum, [, blob]) => sum + blob.bytes, 0);
  return { blobs: new Set(dead.map(([digest]) => digest)), links, keptLinks, bytes };
}

/** What a tag pointed to at any time since then: to each until it was given the next. */
function pointedToSince({ history }: Tag, since: number): readonly Link[] {
  const ordered = history.toSorted((a, b) => a.writtenAt - b.writtenAt);
  return ordered.filter((_, at) => (ordered[at + 1]?.writtenAt ?? Number.POSITIVE_INFINITY) >= since);
}

/** `REPOSITORY:TAG` of every tag of which a link or a blob is missing that the store had in an earlier image of it. */
export function lostTags(before: StoreImage, after: StoreImage): readonly string[] {
  return before.repositories.flatMap((repository) => {
    const now = after.repositories.find(({ name }) => name === repository.name);
    return repository.tags.flatMap((tag) => {
      const needed = neededBy(before, repository, [tag.digest]);
      const lostLink = [...needed.names].some(
        (name) =>
          (repository.revisions.has(name) && !now?.revisions.has(name)) ||
          (repository.layers.has(name) && !now?.layers.has(name)),
      );
      const lostBlob = [...needed.blobs].some((blob) => before.blobs.has(blob) && !after.blobs.has(blob));
      return lostLink || lostBlob ? [`${repository.name}:${tag.name}`] : [];
    });
  });
}

/** Directories of all links to manifests and blobs, below the data directory. */
export function linksOf({ repositories }: StoreImage): ReadonlySet<string> {
  const paths = repositories.flatMap(({ revisions, layers }) =>
    [...revisions.values(), ...layers.values()].map(({ path }) => path),
  );
  return new Set(paths);
}
