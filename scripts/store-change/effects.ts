import { lstatSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import {
  chmod,
  chown,
  copyFile,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  rename,
  unlink,
} from "node:fs/promises";
import { systemCode } from "../cli/errors.ts";
import { exists, isSameFile, type Ownership, statOf } from "./paths.ts";

/** A file in the making. */
export interface Sink {
  readonly write: (chunk: Uint8Array) => Promise<void>;
  /** Writes all of it to the disk, and closes. */
  readonly finish: () => Promise<void>;
  /** Closes; what was written may be lost. */
  readonly abandon: () => Promise<void>;
}

/**
 * Every way in which a program changes a disk: nothing else in this folder does, but the lock.
 *
 * Errors: those of the file system.
 */
export interface Effects {
  readonly makeDirectory: (path: string, like: Ownership) => Promise<void>;
  /** A new file. Errors: EEXIST. */
  readonly createFile: (path: string, like: Ownership) => Promise<Sink>;
  /** A file to add lines to; a line is on the disk when its promise is kept. */
  readonly openJournal: (path: string) => Promise<Sink>;
  /** The same file under a second name, or a copy where the file system has no hard links. */
  readonly keep: (path: string, keptPath: string) => Promise<void>;
  /** Moves a file to a name that is free. Errors: EEXIST when it is not. */
  readonly putNew: (staged: string, path: string) => Promise<void>;
  /** Moves a file over another: readers see the old or the new one, never a part. */
  readonly replace: (staged: string, path: string) => Promise<void>;
  /**
   * Moves a file or a whole directory to a name that is free; an empty directory gives way to a directory, and a move that
   * was cut off is ended.
   *
   * Errors: EEXIST or ENOTEMPTY when the name is taken.
   */
  readonly move: (from: string, to: string) => Promise<void>;
  readonly removeFile: (path: string) => Promise<void>;
  /** Errors: ENOTEMPTY. */
  readonly removeDirectory: (path: string) => Promise<void>;
  /** Writes the names in a directory to the disk. */
  readonly syncDirectory: (path: string) => Promise<void>;
}

/** Called before each effect with its name; an error keeps the effect from happening. */
type Before = (effect: string, path: string) => void | Promise<void>;

/** `before` lets tests end the process, or change the store, at any effect. */
export function createEffects(before: Before = () => {}): Effects {
  return { ...createMakers(before), ...createMovers(before), ...createRemovers(before) };
}

type Makers = Pick<Effects, "makeDirectory" | "createFile" | "openJournal" | "syncDirectory">;
type Removers = Pick<Effects, "removeFile" | "removeDirectory">;

function createMakers(before: Before): Makers {
  return {
    makeDirectory: async (path, like) => {
      await before("makeDirectory", path);
      await mkdir(path);
      await own(path, like);
    },
    createFile: async (path, like) => {
      await before("createFile", path);
      const file = await open(path, "wx", 0o600);
      await own(path, like);
      return sinkOf(file, () => before("write", path));
    },
    openJournal: async (path) => {
      await before("openJournal", path);
      const file = await open(path, "a", 0o600);
      const sink = sinkOf(file, () => before("record", path));
      return { ...sink, write: (chunk) => sink.write(chunk).then(() => file.sync()) };
    },
    syncDirectory: async (path) => {
      await before("syncDirectory", path);
      const directory = await open(path, "r");
      // Some network file systems cannot do this for directories; they write names at once.
      await directory
        .sync()
        .catch(ignoreUnsupported)
        .finally(() => directory.close());
    },
  };
}

function createMovers(before: Before): Omit<Effects, keyof Makers | keyof Removers> {
  const putNew: Effects["putNew"] = async (staged, path) => {
    await before("putNew", path);
    const isLinked = await tryLink(staged, path, before);
    if (!isLinked) return renameToFree(staged, path);
    await before("forget", staged);
    await unlink(staged).catch(ignoreMissing);
  };
  return {
    putNew,
    keep: async (path, keptPath) => {
      await before("keep", path);
      if (!(await tryLink(path, keptPath, before))) await copyToDisk(path, keptPath, before);
    },
    replace: async (staged, path) => {
      await before("replace", path);
      await rename(staged, path);
    },
    move: async (from, to) => {
      await before("move", from);
      if (movesDirectory(from, to)) return;
      const found = lstatSync(from);
      const there = await statOf(to);
      // A file that was cut off on its way has both names.
      await (there && isSameFile(found, there) ? unlink(from) : putNew(from, to));
    },
  };
}

/**
 * Moves a directory; false for what is none. Over another directory this fails unless that is empty. A collection moves
 * many thousands while writes are held: blocking calls are several times faster, and the slash, with which the kernel
 * refuses all but directories, spares to ask what it is.
 */
function movesDirectory(from: string, to: string): boolean {
  try {
    renameSync(from, `${to}/`);
    return true;
  } catch (error) {
    // Also where a file has the new name.
    if (systemCode(error) !== "ENOTDIR") throw error;
    if (lstatSync(from).isDirectory()) throw error;
    return false;
  }
}

function createRemovers(before: Before): Removers {
  return {
    removeFile: async (path) => {
      await before("removeFile", path);
      unlinkSync(path);
    },
    removeDirectory: async (path) => {
      await before("removeDirectory", path);
      // A purge removes many thousands, and blocking calls are several times faster.
      rmdirSync(path);
    },
  };
}

/** The umask must not narrow what the neighbours have; and only root can give a file away, or need to. */
async function own(path: string, { uid, gid, mode }: Ownership): Promise<void> {
  const made = await lstat(path);
  if (made.uid !== uid || made.gid !== gid) await chown(path, uid, gid);
  if ((made.mode & 0o7777) !== (mode & 0o7777)) await chmod(path, mode & 0o7777);
}

function sinkOf(file: FileHandle, beforeWrite: () => void | Promise<void>): Sink {
  return {
    write: async (chunk) => {
      await beforeWrite();
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

/** Whether it was linked: the only way to take a name that must be free, but a few file systems have no hard links. */
async function tryLink(from: string, to: string, before: Before): Promise<boolean> {
  try {
    await before("link", from);
    await link(from, to);
    return true;
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "ENOSYS", "EMLINK"].includes(systemCode(error) ?? "")) throw error;
    return false;
  }
}

async function renameToFree(from: string, to: string): Promise<void> {
  if (await exists(to)) throw Object.assign(new Error(`EEXIST: ${to} is there already`), { code: "EEXIST" });
  await rename(from, to);
}

/** Complete under its name or not at all, with owner, rights and times, by which a later write is seen. */
async function copyToDisk(from: string, to: string, before: Before): Promise<void> {
  const found = await lstat(from);
  const part = `${to}.part`;
  await copyFile(from, part);
  await own(part, found);
  const file = await open(part, "r+");
  try {
    await file.utimes(found.atime, found.mtime);
    await before("sync", part);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, to);
}

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== "ENOENT") throw error;
}

function ignoreUnsupported(error: unknown): void {
  if (!["EINVAL", "ENOTSUP"].includes(systemCode(error) ?? "")) throw error;
}
