import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { describeError, ProgramError, systemCode } from "../../cli/errors.ts";
import {
  formerOwnDirectory,
  layersPath,
  ownDirectory,
  revisionsPath,
  schedulerStatePath,
  storePath,
  tagHistoryPath,
} from "../../registry/paths.ts";
import type { StoreSource, Unreadable } from "../source.ts";
import { readBlob, readBlobs, readContent } from "./blob.ts";
import { isUnreadable, listEntries, mayBeDirectory, unreadable } from "./files.ts";
import { readDigestLinks } from "./link.ts";
import { readManifest } from "./manifest.ts";
import { readRepositories } from "./repository.ts";
import { readTags } from "./tag.ts";
import { readUploads } from "./upload.ts";
import { readVerifiedBlob } from "./verified-blob.ts";

/** The registries under a given directory. */
export interface Discovery {
  /** `store`: the directory is one registry's. `data-root`: it holds one directory for each registry. */
  readonly form: "store" | "data-root";
  /** Sorted by name, never empty. */
  readonly sources: readonly DiskSource[];
  /** Names of those that are pull-through caches, by the file that such a registry keeps. */
  readonly caches: ReadonlySet<string>;
  /** Names of directories without a store, such as that of a cache that was never asked. */
  readonly empty: readonly string[];
  /** Directories that may or may not be registries, by name. */
  readonly unreadable: readonly { readonly name: string; readonly fault: Unreadable }[];
}

/**
 * The registries under `directory`.
 *
 * Errors: E_STORE_UNREADABLE when it cannot be listed, E_STORE_NOT_FOUND when no registry is there.
 */
export async function discoverRegistries(directory: string): Promise<Discovery> {
  const path = resolve(directory);
  const own = await isStore(path);
  if (own === true) return discovery("store", [diskSource(basename(path), path)]);
  if (own !== false) throw cannotList(own);
  const sources: DiskSource[] = [];
  const faults: { name: string; fault: Unreadable }[] = [];
  const empty: string[] = [];
  const names = await subdirectories(path);
  for (const name of names) {
    const answer = await isStore(join(path, name));
    if (answer === true) sources.push(diskSource(name, join(path, name)));
    else if (answer === false) empty.push(name);
    else faults.push({ name, fault: answer });
  }
  if (sources.length === 0) throw notFound(path, names, faults);
  return discovery("data-root", sources, empty, faults);
}

function discovery(
  form: Discovery["form"],
  sources: readonly DiskSource[],
  empty: readonly string[] = [],
  unreadable: Discovery["unreadable"] = [],
): Discovery {
  // What cannot be told apart is no cache: it is checked in full then.
  const caches = sources.filter(({ dataDirectory }) => existsSync(schedulerStatePath(dataDirectory)));
  return { form, sources, caches: new Set(caches.map(({ name }) => name)), empty, unreadable };
}

/** A store in a directory of this machine. */
export interface DiskSource extends StoreSource {
  readonly dataDirectory: string;
}

/** The reader of one registry's data directory. */
export function diskSource(name: string, dataDirectory: string): DiskSource {
  return {
    name,
    dataDirectory,
    repositories: () => readRepositories(dataDirectory),
    tags: (repository, options) => readTags(dataDirectory, repository, options),
    revisions: (repository, options) => readDigestLinks(revisionsPath(dataDirectory, repository), options),
    layerLinks: (repository, options) => readDigestLinks(layersPath(dataDirectory, repository), options),
    tagHistory: (repository, tag, options) =>
      readDigestLinks(tagHistoryPath(dataDirectory, repository, tag), options),
    manifest: async (_repository, digest) => readManifest(dataDirectory, digest),
    blob: async (_repository, digest) => readBlob(dataDirectory, digest),
    content: (_repository, digest) => readContent(dataDirectory, digest),
    blobs: (share) => readBlobs(dataDirectory, share),
    uploads: () => readUploads(dataDirectory),
    verifiedBlob: (digest, pace, name) => readVerifiedBlob(dataDirectory, digest, pace, name),
  };
}

async function isStore(path: string): Promise<boolean | Unreadable> {
  const location = storePath(path);
  try {
    return (await stat(location)).isDirectory();
  } catch (error) {
    const code = systemCode(error);
    return code === "ENOENT" || code === "ENOTDIR" ? false : unreadable(location, error);
  }
}

/** What is never a registry: the file system's own, which only root can read, and what the programs keep. */
const foreign: ReadonlySet<string> = new Set(["lost+found", ownDirectory, formerOwnDirectory]);

/** Sorted. */
async function subdirectories(path: string): Promise<readonly string[]> {
  await requireDirectory(path);
  const entries = listEntries(path);
  if (isUnreadable(entries)) throw cannotList(entries);
  const directories = entries.filter((entry) => mayBeDirectory(entry) && !foreign.has(entry.name));
  return directories.map(({ name }) => name).sort();
}

async function requireDirectory(path: string): Promise<void> {
  try {
    await stat(path);
  } catch (cause) {
    throw new ProgramError("E_STORE_UNREADABLE", `Cannot read ${path}: ${describeError(cause)}.`, {
      cause,
    });
  }
}

function cannotList({ location, reason }: Unreadable): ProgramError {
  return new ProgramError("E_STORE_UNREADABLE", `Cannot read ${location}: ${reason}.`);
}

function notFound(path: string, names: readonly string[], faults: Discovery["unreadable"]): ProgramError {
  const shown = names.slice(0, 10).join(", ") + (names.length > 10 ? `, and ${names.length - 10} more` : "");
  return new ProgramError(
    "E_STORE_NOT_FOUND",
    [
      `No registry found under ${path}.`,
      "  expected  docker/registry/v2 in it (one store), or NAME/docker/registry/v2 (a data root)",
      `  found     ${names.length === 0 ? "no directories" : `the directories ${shown}`}`,
      ...faults.map(({ fault: { location, reason } }) => `  unreadable  ${location}: ${reason}`),
      "A registry that was never pushed to has no store yet. Give the directory that is mounted as its storage.",
    ].join("\n"),
  );
}
