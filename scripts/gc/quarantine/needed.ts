import { join, sep } from "node:path";
import { type Digest, isDigestOf, parseDigest } from "../../registry/digest.ts";
import { type Manifest, manifestSizeLimitBytes, parseManifest, references } from "../../registry/manifest.ts";
import {
  blobDirectory,
  layersPath,
  linkDirectory,
  repositoryPath,
  revisionsPath,
} from "../../registry/paths.ts";
import { readWhole } from "../../source/disk/files.ts";
import { readLink } from "../../source/disk/link.ts";

/** A directory of a store by the path that it has there, and where it is now. */
export interface Placed {
  readonly path: string;
  readonly at: string;
}

/** A repository of the store in a data directory. */
export interface Home {
  readonly dataDirectory: string;
  readonly repository: string;
}

/**
 * What of the given things, by their paths, a repository needs to serve a digest: its links, its blob, and everything that it names, at any
 * depth. Empty where the repository never had the digest.
 *
 * Errors: none; a manifest that cannot be read names nothing.
 */
export function neededFor<T extends Placed>(
  home: Home,
  digest: Digest,
  index: ReadonlyMap<string, T>,
): readonly T[] {
  const needed = new Set<T>();
  const seen = new Set<Digest>();
  const waiting = [digest];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    for (const [isManifest, path] of linksOf(home, next)) {
      const own = index.get(path);
      const link = readLink(join(own?.at ?? path, "link"));
      if (own) needed.add(own);
      if (link?.state !== "linked") continue;
      // A link under another algorithm leads to the canonical digest, under which the content lies.
      const blobPath = blobDirectory(home.dataDirectory, link.digest);
      const blob = index.get(blobPath);
      if (blob) needed.add(blob);
      if (isManifest) waiting.push(...namedIn(join(blob?.at ?? blobPath, "data"), link.digest));
    }
  }
  return [...needed];
}

/** All of the given things that a repository has: its links, and the blobs that any link of it leads to. */
export function allOf<T extends Placed>(home: Home, index: ReadonlyMap<string, T>): readonly T[] {
  const needed = new Set<T>();
  const own = ["_layers", "_manifests"].map((name) =>
    join(repositoryPath(home.dataDirectory, home.repository), name),
  );
  for (const thing of index.values()) {
    if (!own.some((base) => thing.path.startsWith(base + sep))) continue;
    needed.add(thing);
    const link = readLink(join(thing.at, "link"));
    if (link?.state === "linked") for (const one of neededFor(home, link.digest, index)) needed.add(one);
    const named = digestOfPath(thing.path);
    if (named) for (const one of neededFor(home, named, index)) needed.add(one);
  }
  return [...needed];
}

/** The digest that the last two names of a link's directory spell. */
function digestOfPath(path: string): Digest | undefined {
  const [hex = "", algorithm = ""] = path.split(sep).reverse();
  return parseDigest(`${algorithm}:${hex}`);
}

/** The directories of a repository's links of a digest, each with whether it is that of a manifest. */
export function linksOf({ dataDirectory, repository }: Home, digest: Digest): readonly [boolean, string][] {
  return [
    [true, linkDirectory(revisionsPath(dataDirectory, repository), digest)],
    [false, linkDirectory(layersPath(dataDirectory, repository), digest)],
  ];
}

function namedIn(path: string, digest: Digest): readonly Digest[] {
  const file = readWhole(path, manifestSizeLimitBytes);
  if (file.state !== "read" || !isDigestOf(digest, file.content)) return [];
  const manifest = parseManifest(file.content);
  return isParsed(manifest) ? references(manifest) : [];
}

function isParsed(parsed: ReturnType<typeof parseManifest>): parsed is Manifest {
  return parsed.type !== "fault";
}
