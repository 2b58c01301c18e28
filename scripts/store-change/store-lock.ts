import {
  access,
  constants,
  mkdir,
  readFile,
  realpath,
  rmdir,
  stat,
  statfs,
  truncate,
  unlink,
  writeFile,
} from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { describeError, ProgramError, systemCode } from "../cli/errors.ts";
import { ownDirectory } from "../registry/paths.ts";

/*
 * One lock a store, so that no two programs change it at once: a lock of the kernel on STORE/.regwarden/lock, which ends
 * with the process that holds it, however that ends, in whatever container. Node reaches such locks through SQLite, which
 * takes them on a database before it writes (here never a byte). Beside it, lock-holder.json names the holder for people.
 *
 * Closing any file handle of the lock file would end the lock (fcntl), so nothing else here opens it while it is held.
 * Source: SQLite, "File Locking And Concurrency", RESERVED; fcntl(2), advisory record locking. See docs/adr/0012.
 */

/** Call it once to let others in. */
type Release = () => Promise<void>;

const holderSchema = v.object({
  /** In its own container: other containers may have a process of the same number. */
  pid: v.number(),
  host: v.string(),
  /** Of the machine's start, and of the mount: within both, the kernel sees all locks. */
  boot: v.string(),
  device: v.number(),
  since: v.string(),
});
type Holder = v.InferOutput<typeof holderSchema>;

/** What a lock depends on beside the file; tests name another machine. */
export interface Machine {
  readonly bootId: () => Promise<string>;
  /** Whether processes may write into a directory whose locks this kernel, or this mount of it, does not see. */
  readonly isShared: (directory: string) => Promise<boolean>;
}

/** How long a run that is due waits for one that holds locks for moments only, as the watch over a quarantine does. */
const lockPatienceMs = 3000;

/**
 * Does `work` while no other run changes these stores. A lock that another run holds is waited for up to `patienceMs`.
 *
 * Errors: as {@link lockStore}, before `work` begins.
 */
export async function withStoreLocks<T>(
  dataDirectories: readonly string[],
  work: () => Promise<T>,
  { patienceMs = lockPatienceMs }: { readonly patienceMs?: number } = {},
): Promise<T> {
  const releases: Release[] = [];
  try {
    // Two names may lead to one store, which must not be locked twice.
    const stores = new Set(await Promise.all(dataDirectories.map((path) => realpath(path))));
    const deadline = performance.now() + patienceMs;
    for (const store of stores) releases.push(await lockWithin(deadline, store));
    return await work();
  } finally {
    for (const release of releases) await release();
  }
}

async function lockWithin(deadline: number, store: string): Promise<Release> {
  for (;;)
    try {
      return await lockStore(store);
    } catch (error) {
      const isHeld = error instanceof ProgramError && error.code === "E_STORE_LOCKED";
      if (!isHeld || performance.now() >= deadline) throw error;
      await sleep(20);
    }
}

/**
 * Takes the lock of one registry's store.
 *
 * A lock that a dead process left behind is free. Only on a file system that is shared with other machines or mounts, the
 * kernel does not know that of all: there the name of a holder elsewhere stands until it is removed by hand.
 * Errors: E_STORE_LOCKED with the holder; E_STORE_UNWRITABLE when no lock can be written.
 */
export async function lockStore(dataDirectory: string, machine: Machine = thisMachine): Promise<Release> {
  const directory = join(dataDirectory, ownDirectory);
  const path = join(directory, "lock");
  try {
    // The holder removes the file when it is done, and with it all that others have just opened.
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const database = await tryLock(directory, path);
      if (!database) continue;
      await announce(directory, machine).catch((error: unknown) => {
        database.close();
        throw error;
      });
      return () => release(directory, path, database);
    }
  } catch (cause) {
    if (cause instanceof ProgramError) throw cause;
    const message = `Cannot write the lock ${path}: ${describeError(cause)}. Nothing was changed.`;
    throw new ProgramError("E_STORE_UNWRITABLE", message, { cause });
  }
  throw heldBy(directory, await readHolder(directory));
}

/** Undefined when the file was removed meanwhile, or could not be used: try again. Errors: E_STORE_LOCKED. */
async function tryLock(directory: string, path: string): Promise<DatabaseSync | undefined> {
  // Not recursive: Node then hides a read-only file system behind "no such directory".
  await mkdir(directory, { mode: 0o755 }).catch(ignore("EEXIST"));
  const before = await prepare(path);
  if (before === undefined) return undefined;
  const { database, code } = await reserve(path);
  if (database && (await identityOf(path)) === before) return database;
  database?.close();
  if (code === sqliteBusy) throw heldBy(directory, await readHolder(directory));
  // No lock of ours has content, so no run holds this file.
  if (code === sqliteNotADatabase) await truncate(path).catch(ignore("ENOENT"));
  // The directory went with the file.
  if (code === sqliteCannotOpen && (await identityOf(path)) === before)
    throw new Error("SQLite cannot open the file");
  return undefined;
}

/** Makes the lock file where there is none; which file it is, or undefined when it is gone again. */
async function prepare(path: string): Promise<string | undefined> {
  try {
    await writeFile(path, "", { flag: "wx", mode: 0o644 }).catch(ignore("EEXIST"));
    await access(path, constants.R_OK | constants.W_OK);
    return await identityOf(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    return undefined;
  }
}

async function identityOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(ignore("ENOENT"));
  return found && [found.dev, found.ino, found.birthtimeNs].join(" ");
}

const sqliteBusy = 5;
const sqliteCannotOpen = 14;
const sqliteNotADatabase = 26;

/** The lock, or SQLite's code for the reason why there is none. Errors: any other fault. */
async function reserve(path: string): Promise<{ readonly database?: DatabaseSync; readonly code?: number }> {
  // Loaded here, so that programs that lock nothing do without it.
  const { DatabaseSync } = await import("node:sqlite");
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    // Without the pragma, a journal beside the lock file would be begun.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE");
    return { database };
  } catch (error) {
    database?.close();
    const code = error instanceof Error && "errcode" in error ? error.errcode : undefined;
    if (code === sqliteBusy || code === sqliteCannotOpen || code === sqliteNotADatabase) return { code };
    throw error;
  }
}

/** Names this process as the holder, instead of one that is gone. Errors: E_STORE_LOCKED. */
async function announce(directory: string, { bootId, isShared }: Machine): Promise<void> {
  const boot = await bootId();
  const { dev: device } = await stat(directory);
  const holder: Holder = {
    pid: process.pid,
    host: hostname(),
    boot,
    device,
    since: new Date().toISOString(),
  };
  const text = `${JSON.stringify(holder)}\n`;
  const path = holderPath(directory);
  try {
    await writeFile(path, text, { flag: "wx" });
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    const found = await readHolder(directory);
    const isSeen = boot !== "" && found?.boot === boot && found.device === device;
    if (!isSeen && (await isShared(directory))) throw heldElsewhere(directory, found);
    await writeFile(path, text);
  }
}

async function release(directory: string, path: string, database: DatabaseSync): Promise<void> {
  await unlink(holderPath(directory)).catch(ignore("ENOENT"));
  // Before the lock ends: who has opened the file meanwhile sees that it is not the one under this name.
  await unlink(path).catch(ignore("ENOENT"));
  database.close();
  // Only when nothing else is kept there.
  await rmdir(directory).catch(() => {});
}

function holderPath(directory: string): string {
  return join(directory, "lock-holder.json");
}

async function readHolder(directory: string): Promise<Holder | undefined> {
  try {
    const parsed = v.safeParse(holderSchema, JSON.parse(await readFile(holderPath(directory), "utf8")));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

function heldBy(directory: string, holder: Holder | undefined): ProgramError {
  return new ProgramError(
    "E_STORE_LOCKED",
    `Another run is at work in this store: ${nameOf(holder)} holds the lock in ${directory}. Nothing was changed. Wait for it; the lock ends with that process.`,
  );
}

function heldElsewhere(directory: string, holder: Holder | undefined): ProgramError {
  return new ProgramError(
    "E_STORE_LOCKED",
    `Another run may be at work in this store, from another machine, mount or start: ${nameOf(holder)} took the lock in ${directory}. Nothing was changed. On this file system it cannot be checked whether that run is gone; if it is for sure: rm ${holderPath(directory)}`,
  );
}

function nameOf(holder: Holder | undefined): string {
  return holder
    ? `process ${holder.pid} on ${holder.host} since ${holder.since}`
    : "a process without a name";
}

/**
 * File systems of one machine, by the numbers of statfs(2): ext, XFS, Btrfs, ZFS, F2FS, tmpfs, overlay. All others count as
 * shared: NFS, SMB, Ceph, 9p and FUSE, behind which anything may be.
 */
const localFileSystems: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x2fc12fc1, 0xf2f52010, 0x01021994, 0x794c7630,
]);

const thisMachine: Machine = {
  bootId: async () => (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim(),
  isShared: async (directory) => !localFileSystems.has((await statfs(directory)).type),
};

function ignore(code: string): (error: unknown) => undefined {
  return (error) => {
    if (systemCode(error) !== code) throw error;
  };
}
