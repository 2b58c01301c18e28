import type { Digest } from "../registry/digest.ts";
import { digestFromNames, layersPath, revisionsPath } from "../registry/paths.ts";
import { subjectOfTag } from "../registry/tag.ts";
import { isUnreadable, listNames } from "../source/disk/files.ts";
import { readTags } from "../source/disk/tag.ts";
import type { ManifestState } from "../source/source.ts";

/** What is known of a store besides one of its repositories. */
export interface NamesCheck {
  readonly dataDirectory: string;
  readonly manifest: (digest: Digest) => ManifestState;
  /** Whether the directory of a blob is there now. */
  readonly hasBlob: (digest: Digest) => boolean;
}

/**
 * Whether everything is there now that a repository's tags and links lead to, by the names of the directories: a
 * collection moves whole directories, so what it took away is seen by them. False also where names alone do not say that:
 * then a scan of the repository does.
 */
export function lacksNothing(repository: string, { dataDirectory, manifest, hasBlob }: NamesCheck): boolean {
  const revisions = namesOfLinks(revisionsPath(dataDirectory, repository));
  const layers = namesOfLinks(layersPath(dataDirectory, repository));
  if (!revisions || !layers) return false;
  for (const layer of layers) if (!hasBlob(layer)) return false;
  for (const { name, link } of readTags(dataDirectory, repository)) {
    if (name === null || link.state !== "linked" || !revisions.has(link.digest)) return false;
    const subject = subjectOfTag(name);
    if (subject && !revisions.has(subject)) return false;
  }
  for (const digest of revisions) {
    if (!hasBlob(digest)) return false;
    const state = manifest(digest);
    if (state.state !== "parsed") return false;
    const { children, blobs, subject } = state.manifest;
    if (subject && !revisions.has(subject)) return false;
    if (!children.every((child) => revisions.has(child.digest))) return false;
    // The blobs behind all links are there: see above.
    if (!blobs.every((blob) => layers.has(blob.digest))) return false;
  }
  return true;
}

const algorithm = "sha256";

/**
 * Digests that the directories of links spell; undefined where they cannot be listed, or where some name is none, or is of
 * another algorithm: where its blob lies only the content of the link says.
 */
function namesOfLinks(base: string): ReadonlySet<Digest> | undefined {
  const digests = new Set<Digest>();
  const algorithms = listNames(base);
  if (isUnreadable(algorithms) || algorithms.some((name) => name !== algorithm)) return undefined;
  const names = algorithms.length === 0 ? [] : listNames(`${base}/${algorithm}`);
  if (isUnreadable(names)) return undefined;
  for (const name of names) {
    const digest = digestFromNames(algorithm, name);
    if (!digest) return undefined;
    digests.add(digest);
  }
  return digests;
}
