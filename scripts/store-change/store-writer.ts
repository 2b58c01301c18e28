import { realpath, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { ProgramError, systemCode } from "../cli/errors.ts";
import { type Digest, digestOf } from "../registry/digest.ts";
import { storePath } from "../registry/paths.ts";
import type { Effects, Ownership } from "./effects.ts";
import { isFileOf } from "./file-digest.ts";
import type { Journal } from "./journal.ts";
import { lookAt } from "./look-at.ts";

/** Puts files into stores: journal first, then atomically, owned like what lies around them, never outside of a store. */
export interface StoreWriter {
  /** A name in the staging area that is free. */
  readonly stagingPath: () => string;
  /** Ownership that a file at `path` will have: that of the directory it comes to lie in. */
  readonly ownershipFor: (path: string) => Promise<Ownership>;
  /** Puts a small text in its place. */
  readonly putText: (dataDirectory: string, path: string, text: string) => Promise<void>;
  /** Puts a staged file, whose content has this digest, in its place. */
  readonly putStaged: (dataDirectory: string, path: string, staged: string, digest: Digest) => Promise<void>;
}

interface Options {
  readonly effects: Effects;
  readonly journal: Journal;
  /** The directory that is repaired. */
  readonly directory: string;
  /** Where journal, staging and undo area lie. */
  readonly workDirectory: string;
}

export function createStoreWriter(options: Options): StoreWriter {
  const { effects, workDirectory } = options;
  let counter = 0;
  const nextName = () => {
    counter += 1;
    return String(counter);
  };
  const stagingPath = () => join(workDirectory, "staged", nextName());
  const putStaged: StoreWriter["putStaged"] = async (dataDirectory, path, staged, digest) => {
    await requireInside(storePath(dataDirectory), path);
    await put({ path, staged, digest, nextName }, options);
  };
  return {
    stagingPath,
    ownershipFor,
    putStaged,
    putText: async (dataDirectory, path, text) => {
      const content = Buffer.from(text);
      const staged = stagingPath();
      const sink = await effects.createFile(staged, await ownershipFor(path));
      await sink.write(content);
      await sink.finish();
      await putStaged(dataDirectory, path, staged, digestOf(content));
    },
  };
}

interface Placement {
  readonly path: string;
  readonly staged: string;
  readonly digest: Digest;
  /** For what lies there now. */
  readonly nextName: () => string;
}

async function put({ path, staged, digest, nextName }: Placement, options: Options): Promise<void> {
  const { effects, journal, directory, workDirectory } = options;
  await makeDirectories(dirname(path), options);
  const there = await lookAt(path);
  if (there && !there.isFile()) throw inTheWay(path);
  const kept = there ? nextName() : null;
  await journal.record({ did: "file", path: journalPath(directory, path), digest, kept });
  if (kept === null) await placeNew({ path, staged, digest }, options);
  else {
    await effects.keep(path, join(workDirectory, "kept", kept));
    await effects.syncDirectory(join(workDirectory, "kept"));
    await effects.replace(staged, path);
  }
  await effects.syncDirectory(dirname(path));
}

async function placeNew(
  { path, staged, digest }: Omit<Placement, "nextName">,
  { effects, journal, directory }: Options,
): Promise<void> {
  try {
    await effects.placeNew(staged, path);
  } catch (error) {
    // A push that ran meanwhile has written the same: the address is that of the content.
    if (systemCode(error) !== "EEXIST" || !(await isFileOf(path, digest))) throw error;
    await journal.record({ did: "nothing", path: journalPath(directory, path) });
    await effects.removeFile(staged);
  }
}

async function makeDirectories(path: string, options: Options): Promise<void> {
  if (await lookAt(path)) return;
  const { effects, journal, directory } = options;
  const parent = dirname(path);
  await makeDirectories(parent, options);
  const like = await stat(parent);
  await journal.record({ did: "directory", path: journalPath(directory, path) });
  await effects.makeDirectory(path, like);
  await effects.syncDirectory(parent);
}

function journalPath(directory: string, path: string): string {
  return relative(resolve(directory), path);
}

/** Registries write links and data that only their owner changes, whatever others may do to the directory. */
async function ownershipFor(path: string): Promise<Ownership> {
  const { uid, gid, mode } = await stat(await nearestAbove(path));
  return { uid, gid, mode: mode & 0o644 };
}

/** The directory that is there already, and whose children will be made like it. */
async function nearestAbove(path: string): Promise<string> {
  const parent = dirname(path);
  return parent === path || (await lookAt(parent)) ? parent : nearestAbove(parent);
}

/**
 * Refuses a path that a symbolic link would lead out of the store: what lies there is not the registry's.
 *
 * Errors: E_STORE_UNWRITABLE.
 */
export async function requireInside(store: string, path: string): Promise<void> {
  const base = await realpath(store);
  const real = await realpath(await nearestAbove(path));
  if (real !== base && !real.startsWith(base + sep))
    throw new ProgramError(
      "E_STORE_UNWRITABLE",
      `${path} leads out of the store, to ${real}, through a symbolic link; it is not written. Put the directory itself in the link's place.`,
    );
}

function inTheWay(path: string): ProgramError {
  return new ProgramError(
    "E_STORE_UNWRITABLE",
    `${path} is no regular file, so it is neither replaced nor removed. See what it is (ls -ld), move it away, repair again.`,
  );
}
