import { join } from "node:path";
import { type Digest, parseDigest, splitDigest } from "./digest.ts";

/*
 * The store of one registry on disk, from its data directory down:
 *
 *   docker/registry/v2/
 *   ├── repositories/
 *   │   └── NAME/                               may hold slashes, so a repository can lie inside another
 *   │       ├── _manifests/
 *   │       │   ├── revisions/ALGORITHM/HEX/link    "ALGORITHM:HEX": this repository serves this manifest
 *   │       │   └── tags/TAG/
 *   │       │       ├── current/link                digest of the manifest the tag points at now
 *   │       │       └── index/ALGORITHM/HEX/link    every manifest the tag has pointed at
 *   │       ├── _layers/ALGORITHM/HEX/link          this repository serves this blob
 *   │       └── _uploads/UUID/                      an unfinished upload
 *   │           ├── data
 *   │           ├── startedat
 *   │           └── hashstates/ALGORITHM/OFFSET
 *   └── blobs/ALGORITHM/HH/HEX/data             the content, once for all repositories; HH = first two of HEX
 *
 * A link is a file that holds exactly a digest, without a line end. Manifests are blobs too.
 * Source: distribution v2.8.3, registry/storage/paths.go.
 */

const root = join("docker", "registry", "v2");

/**
 * What a pull-through cache keeps in its data directory: when it will drop what it fetched. It is written some seconds
 * after the first fetch.
 *
 * Source: distribution v2.8.3, registry/proxy/proxyregistry.go, and scheduler/scheduler.go in it.
 */
export function schedulerStatePath(dataDirectory: string): string {
  return join(dataDirectory, "scheduler-state.json");
}

/** Directory for what the programs keep beside a store; no registry reads it. */
export const ownDirectory = ".regwarden";

/** What {@link ownDirectory} was called by the first programs: journals in it can be undone still. */
export const formerOwnDirectory = "_regwarden";

/** Directory of a store below a registry's data directory. */
export function storePath(dataDirectory: string): string {
  return join(dataDirectory, root);
}

export function repositoriesPath(dataDirectory: string): string {
  return join(dataDirectory, root, "repositories");
}

export function repositoryPath(dataDirectory: string, repository: string): string {
  return join(dataDirectory, root, "repositories", repository);
}

/** The names that make a directory a repository; nothing that starts with `_` can be part of a repository's name. */
export const repositoryMarks: ReadonlySet<string> = new Set(["_manifests", "_layers"]);

/** Directory of a repository's unfinished uploads. */
export const uploadsName = "_uploads";

export function uploadsPath(dataDirectory: string, repository: string): string {
  return join(repositoryPath(dataDirectory, repository), uploadsName);
}

/** Longest name a repository can have, in characters. Source: distribution reference/reference.go. */
export const repositoryNameLimit = 255;

export function tagsPath(dataDirectory: string, repository: string): string {
  return join(repositoryPath(dataDirectory, repository), "_manifests", "tags");
}

export function tagLinkPath(dataDirectory: string, repository: string, tag: string): string {
  return join(tagsPath(dataDirectory, repository), tag, "current", "link");
}

/** Directory of the algorithms of the links to every manifest that a tag has pointed at. */
export function tagHistoryPath(dataDirectory: string, repository: string, tag: string): string {
  return join(tagsPath(dataDirectory, repository), tag, "index");
}

/** Directory of the algorithms of a repository's manifest links. */
export function revisionsPath(dataDirectory: string, repository: string): string {
  return join(repositoryPath(dataDirectory, repository), "_manifests", "revisions");
}

/** Directory of the algorithms of a repository's blob links. */
export function layersPath(dataDirectory: string, repository: string): string {
  return join(repositoryPath(dataDirectory, repository), "_layers");
}

/** Directory of one link, given the directory that {@link revisionsPath} or {@link layersPath} names. */
export function linkDirectory(base: string, digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `${base}/${algorithm}/${hex}`;
}

/** Directory of the algorithms of all blobs. */
export function blobsPath(dataDirectory: string): string {
  return join(dataDirectory, root, "blobs");
}

let last = { dataDirectory: "", blobs: "" };

/** Directory of one blob. */
export function blobDirectory(dataDirectory: string, digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  // `join` takes longer than all else about a blob, and nearly all are of the same store.
  if (dataDirectory !== last.dataDirectory) last = { dataDirectory, blobs: blobsPath(dataDirectory) };
  return `${last.blobs}/${algorithm}/${hex.slice(0, 2)}/${hex}`;
}

export function blobDataPath(dataDirectory: string, digest: Digest): string {
  return `${blobDirectory(dataDirectory, digest)}/data`;
}

/** The digest two directory names spell, or undefined when they spell none. */
export function digestFromNames(algorithm: string, hex: string): Digest | undefined {
  return parseDigest(`${algorithm}:${hex}`);
}
