import { lstatSync, type Stats } from "node:fs";
import { lstat, realpath, stat } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { ProgramError, systemCode } from "../cli/errors.ts";
import { storePath } from "../registry/paths.ts";

/** Who owns a file or directory, and with which rights. */
export type Ownership = Pick<Stats, "uid" | "gid" | "mode">;

/** What changes when a file is written. */
export type Stamp = Pick<Stats, "size" | "mtimeMs">;

/** Tools that copy a store keep times by the millisecond at least. */
export const stampToleranceMs = 1;

export function isUnchanged(found: Stamp, seen: Stamp): boolean {
  return found.size === seen.size && Math.abs(found.mtimeMs - seen.mtimeMs) <= stampToleranceMs;
}

export function isSameFile(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/** What lies at a path, itself and not what it may lead to; undefined when nothing does. Errors: any other fault. */
export async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

export async function exists(path: string): Promise<boolean> {
  return (await statOf(path)) !== undefined;
}

/** The path itself, or the nearest directory above it that is there. */
export async function nearestExisting(path: string): Promise<string> {
  const parent = dirname(path);
  return parent === path || (await exists(path)) ? path : nearestExisting(parent);
}

/** Registries write links and data that only their owner changes, whatever others may do to the directory. */
export async function ownershipFor(path: string): Promise<Ownership> {
  const { uid, gid, mode } = await stat(await nearestExisting(dirname(path)));
  return { uid, gid, mode: mode & 0o644 };
}

/** The data directory of the store that a path lies in; undefined when it lies in none. */
export function storeOf(path: string, stores: readonly string[]): string | undefined {
  return stores.find((dataDirectory) => path.startsWith(storePath(dataDirectory) + sep));
}

/** The directory of an absolute path that is as `resolve` leaves it: many thousands are asked for. */
export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf(sep)) || sep;
}

/** {@link requireInStore} for many paths at one time: each directory is checked once. */
export function createStoreGuard(stores: readonly string[]): (path: string) => Promise<void> {
  const plain = new Set(stores.map(storePath));
  // Where nothing but directories leads from a store to a path, no symbolic link does.
  const isPlain = (directory: string): boolean => {
    if (plain.has(directory)) return true;
    if (directory === sep || !isPlain(directoryOf(directory)) || !isDirectory(directory)) return false;
    plain.add(directory);
    return true;
  };
  const checked = new Set<string>();
  return async (path) => {
    const directory = directoryOf(path);
    if (checked.has(directory)) return;
    if (resolve(path) !== path || !isPlain(directory)) await requireInStore(path, stores);
    checked.add(directory);
  };
}

/** Itself, and not what it may lead to. Errors: those of the file system. */
function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * Refuses a path outside of the stores, and one that a symbolic link would lead out of its store: what lies there is not
 * the registry's.
 *
 * Errors: E_STORE_UNWRITABLE.
 */
export async function requireInStore(path: string, stores: readonly string[]): Promise<void> {
  const dataDirectory = storeOf(path, stores);
  if (dataDirectory === undefined)
    throw new ProgramError(
      "E_STORE_UNWRITABLE",
      `${path} lies in none of the stores here; nothing was changed.`,
    );
  const base = await realpath(storePath(dataDirectory));
  const real = await realpath(await nearestExisting(dirname(path)));
  if (real !== base && !real.startsWith(base + sep))
    throw new ProgramError(
      "E_STORE_UNWRITABLE",
      `${path} leads out of the store, to ${real}, through a symbolic link; it is not written. Move the directory itself to where the link is.`,
    );
}
