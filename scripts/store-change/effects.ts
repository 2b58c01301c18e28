import type { Stats } from "node:fs";
import {
  chmod,
  chown,
  constants,
  copyFile,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  rename,
  rmdir,
  unlink,
} from "node:fs/promises";
import { systemCode } from "../cli/errors.ts";
import { exists } from "./look-at.ts";

/** Whom a file or directory belongs to, and who may do what with it. */
export type Ownership = Pick<Stats, "uid" | "gid" | "mode">;

/** A file in the making. */
export interface Sink {
  readonly write: (chunk: Uint8Array) => Promise<void>;
  /** Makes what was written last, and closes. */
  readonly finish: () => Promise<void>;
  /** Closes without a promise. */
  readonly abandon: () => Promise<void>;
}

/**
 * Every way in which a repair touches a disk: nothing else in this folder changes anything.
 *
 * Errors: those of the file system.
 */
export interface Effects {
  readonly makeDirectory: (path: string, like: Ownership) => Promise<void>;
  /** A new file; refused where one is. */
  readonly createFile: (path: string, like: Ownership) => Promise<Sink>;
  /** A file to add lines to, each of which lasts when the promise is kept. */
  readonly openJournal: (path: string) => Promise<Sink>;
  /** The same file under a second name, or a copy where the file system has no hard links. */
  readonly keep: (path: string, keptPath: string) => Promise<void>;
  /** Moves a file to a name that is free. Errors: EEXIST when it is not. */
  readonly placeNew: (staged: string, path: string) => Promise<void>;
  /** Moves a file over another: whoever reads sees the old or the new one, whole. */
  readonly replace: (staged: string, path: string) => Promise<void>;
  readonly removeFile: (path: string) => Promise<void>;
  readonly removeDirectory: (path: string) => Promise<void>;
  /** Makes what was done to the names in a directory last. */
  readonly syncDirectory: (path: string) => Promise<void>;
}

type Before = (effect: string, path: string) => void;

/** `before` is told of each effect, and can prevent it: tests end the process there. */
export function createEffects(before: Before = () => {}): Effects {
  return { ...createMakers(before), ...createMovers(before) };
}

type Makers = Pick<Effects, "makeDirectory" | "createFile" | "openJournal" | "syncDirectory">;

function createMakers(before: Before): Makers {
  return {
    makeDirectory: async (path, like) => {
      before("makeDirectory", path);
      await mkdir(path);
      await own(path, like);
    },
    createFile: async (path, like) => {
      before("createFile", path);
      const file = await open(path, "wx", 0o600);
      await own(path, like);
      return sinkOf(file, () => before("write", path));
    },
    openJournal: async (path) => {
      before("openJournal", path);
      const file = await open(path, "a", 0o600);
      const sink = sinkOf(file, () => before("record", path));
      return { ...sink, write: (chunk) => sink.write(chunk).then(() => file.sync()) };
    },
    syncDirectory: async (path) => {
      before("syncDirectory", path);
      const directory = await open(path, "r");
      // Some network file systems cannot do this for directories; they write names at once.
      await directory
        .sync()
        .catch(ignoreUnsupported)
        .finally(() => directory.close());
    },
  };
}

function createMovers(before: Before): Omit<Effects, keyof Makers> {
  return {
    keep: async (path, keptPath) => {
      before("keep", path);
      await linkOr(path, keptPath, () => copyFile(path, keptPath, constants.COPYFILE_EXCL));
    },
    placeNew: async (staged, path) => {
      before("placeNew", path);
      await linkOr(staged, path, () => placeByRename(staged, path));
      before("forget", staged);
      await unlink(staged).catch(ignoreMissing);
    },
    replace: async (staged, path) => {
      before("replace", path);
      await rename(staged, path);
    },
    removeFile: async (path) => {
      before("removeFile", path);
      await unlink(path);
    },
    removeDirectory: async (path) => {
      before("removeDirectory", path);
      await rmdir(path);
    },
  };
}

/** The umask must not narrow what the neighbours have; and only root can give a file away, or need to. */
async function own(path: string, { uid, gid, mode }: Ownership): Promise<void> {
  const made = await lstat(path);
  if (made.uid !== uid || made.gid !== gid) await chown(path, uid, gid);
  if ((made.mode & 0o7777) !== (mode & 0o7777)) await chmod(path, mode & 0o7777);
}

function sinkOf(file: FileHandle, beforeWrite: () => void): Sink {
  return {
    write: async (chunk) => {
      beforeWrite();
      await file.writeFile(chunk);
    },
    finish: async () => {
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    },
    abandon: () => file.close(),
  };
}

/** A hard link is the only way to take a name that must be free; a few file systems have none. */
async function linkOr(from: string, to: string, otherwise: () => Promise<void>): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "ENOSYS", "EMLINK"].includes(systemCode(error) ?? "")) throw error;
    await otherwise();
  }
}

async function placeByRename(staged: string, path: string): Promise<void> {
  if (await exists(path))
    throw Object.assign(new Error(`EEXIST: ${path} is there already`), { code: "EEXIST" });
  await rename(staged, path);
}

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== "ENOENT") throw error;
}

function ignoreUnsupported(error: unknown): void {
  if (!["EINVAL", "ENOTSUP"].includes(systemCode(error) ?? "")) throw error;
}
