import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { describeError, ProgramError } from "../cli/errors.ts";
import { ownDirectory, storePath } from "../registry/paths.ts";
import type { Effects, Ownership } from "./effects.ts";
import { type Journal, journalSchema, openJournal } from "./journal.ts";
import { exists } from "./look-at.ts";

/**
 * Makes the directory of one run, with an open journal in it.
 *
 * Errors: E_STORE_UNWRITABLE when it cannot be made, E_CONFIGURATION when it is of no use; nothing was changed then.
 */
export async function openWorkDirectory(
  effects: Effects,
  options: {
    readonly directory: string;
    readonly asked: string | undefined;
    readonly stores: readonly string[];
    readonly now: Date;
  },
): Promise<{ readonly path: string; readonly journal: Journal }> {
  const path =
    options.asked === undefined ? usualPath(options.directory, options.now) : resolve(options.asked);
  try {
    if (await exists(join(path, "journal.jsonl")))
      throw new ProgramError(
        "E_CONFIGURATION",
        `${path} holds a journal already; nothing was changed. Give another directory.`,
      );
    const above = await stat(await nearestAbove(path));
    await requireOneFileSystem(path, above.dev, options.stores);
    await makeDirectories(effects, path, above);
    const journal = await openJournal(effects, path);
    await journal.record({ did: "begin", schema: journalSchema, at: options.now.toISOString() });
    await effects.syncDirectory(path);
    return { path, journal };
  } catch (cause) {
    if (cause instanceof ProgramError) throw cause;
    const message = `Cannot write the journal in ${path}: ${describeError(cause)}. Nothing was changed.`;
    throw new ProgramError("E_STORE_UNWRITABLE", message, { cause });
  }
}

function usualPath(directory: string, now: Date): string {
  const time = now.toISOString().replaceAll(/[-:]/g, "");
  return join(resolve(directory), ownDirectory, `repair-${time}`);
}

/** Files go into the store, and out of it into the undo area, by changing their names: that is all or nothing. */
async function requireOneFileSystem(path: string, device: number, stores: readonly string[]): Promise<void> {
  for (const store of stores)
    if ((await stat(storePath(store))).dev !== device)
      throw new ProgramError(
        "E_CONFIGURATION",
        `${path} lies on another file system than the store ${store}; nothing was changed. Repair this store alone (regwarden repair ${store}), or give --journal a directory beside it.`,
      );
}

/** Whoever scans must be able to see that no registry is there; what was taken out of the store is for its owner. */
async function makeDirectories(effects: Effects, path: string, above: Ownership): Promise<void> {
  const parent = dirname(path);
  if (!(await exists(parent))) await makeParents(effects, parent, { ...above, mode: 0o755 });
  const like = { uid: above.uid, gid: above.gid, mode: 0o700 };
  if (!(await exists(path))) await effects.makeDirectory(path, like);
  for (const name of ["staged", "kept"]) await effects.makeDirectory(join(path, name), like);
  await effects.syncDirectory(parent);
}

async function makeParents(effects: Effects, path: string, like: Ownership): Promise<void> {
  if (await exists(path)) return;
  await makeParents(effects, dirname(path), like);
  await effects.makeDirectory(path, like);
  await effects.syncDirectory(dirname(path));
}

async function nearestAbove(path: string): Promise<string> {
  return (await exists(path)) ? path : nearestAbove(dirname(path));
}
