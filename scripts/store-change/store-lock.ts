import { link, mkdir, readFile, readlink, rename, rmdir, unlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { describeError, ProgramError, systemCode } from "../cli/errors.ts";
import { ownDirectory } from "../registry/paths.ts";

/** Call it once to let others in. */
type Release = () => Promise<void>;

const holderSchema = v.object({
  pid: v.number(),
  /** Since the machine's start, as the kernel counts; tells a process from a later one with the same number. */
  started: v.string(),
  boot: v.string(),
  /** Process numbers mean something only within one. */
  namespace: v.string(),
  host: v.string(),
  since: v.string(),
});
type Holder = v.InferOutput<typeof holderSchema>;

/** Does `work` while nobody else writes into these stores. Errors: as {@link lockStore}, before `work` begins. */
export async function withStoreLocks<T>(
  dataDirectories: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const releases: Release[] = [];
  try {
    for (const dataDirectory of dataDirectories) releases.push(await lockStore(dataDirectory));
    return await work();
  } finally {
    for (const release of releases) await release();
  }
}

/**
 * Takes the lock of one registry's store, so that no two programs write into it at once.
 *
 * A lock that a killed process left is taken over, where it can be seen that the process is gone; of another container
 * or machine it cannot.
 * Errors: E_STORE_LOCKED with who holds it; E_STORE_UNWRITABLE when no lock can be written.
 */
async function lockStore(dataDirectory: string): Promise<Release> {
  const path = join(dataDirectory, ownDirectory, "lock");
  const mine = `${JSON.stringify(await describeSelf())}\n`;
  try {
    // Not recursive: Node then hides a read-only file system behind "no such directory".
    await mkdir(dirname(path), { mode: 0o755 }).catch((error: unknown) => {
      if (systemCode(error) !== "EEXIST") throw error;
    });
    if (!(await take(path, mine))) await takeOver(path, mine);
  } catch (cause) {
    if (cause instanceof ProgramError) throw cause;
    const message = `Cannot write the lock ${path}: ${describeError(cause)}. Nothing was changed.`;
    throw new ProgramError("E_STORE_UNWRITABLE", message, { cause });
  }
  return async () => {
    await unlink(path);
    // Only when nothing else is kept there.
    await rmdir(dirname(path)).catch(() => {});
  };
}

/** Whole at once: who finds the lock finds its holder in it. */
async function take(path: string, content: string): Promise<boolean> {
  const own = `${path}.${process.pid}`;
  await writeFile(own, content);
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    return false;
  } finally {
    await unlink(own);
  }
}

async function takeOver(path: string, mine: string): Promise<void> {
  const found = await readFile(path, "utf8").catch(() => "");
  const holder = parseHolder(found);
  if (!holder || !(await isGone(holder))) throw held(path, holder);
  const aside = `${path}.stale.${process.pid}`;
  await rename(path, aside);
  // Between the look and the move another may have done the same, and hold the lock rightly.
  const isStill = (await readFile(aside, "utf8")) === found;
  if (!isStill) await link(aside, path).catch(() => {});
  await unlink(aside);
  if (!isStill || !(await take(path, mine))) throw held(path, undefined);
}

function held(path: string, holder: Holder | undefined): ProgramError {
  const who = holder ? `process ${holder.pid} on ${holder.host} since ${holder.since}` : "somebody else";
  return new ProgramError(
    "E_STORE_LOCKED",
    `Another run is at work in this store: ${who} holds ${path}. Nothing was changed. Wait for it; if it is gone for sure: rm ${path}`,
  );
}

async function describeSelf(): Promise<Holder> {
  return {
    pid: process.pid,
    started: (await startOf("self")) ?? "",
    boot: await bootId(),
    namespace: await namespaceOf(),
    host: hostname(),
    since: new Date().toISOString(),
  };
}

async function isGone(holder: Holder): Promise<boolean> {
  // After a restart of the machine no process of before is left, in no container either.
  if (holder.boot !== (await bootId())) return holder.host === hostname();
  if (holder.namespace !== (await namespaceOf())) return false;
  return (await startOf(String(holder.pid))) !== holder.started;
}

/** Source: proc(5), /proc/pid/stat, field 22; the name before it may hold spaces and brackets. */
async function startOf(pid: string): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ")[19];
}

async function bootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim();
}

function namespaceOf(): Promise<string> {
  return readlink("/proc/self/ns/pid").catch(() => "");
}

function parseHolder(content: string): Holder | undefined {
  try {
    const parsed = v.safeParse(holderSchema, JSON.parse(content));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
