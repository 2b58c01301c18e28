import { lstat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ProgramError, systemCode } from "../cli/errors.ts";
import { parseDigest } from "../registry/digest.ts";
import { storePath } from "../registry/paths.ts";
import type { Effects } from "./effects.ts";
import { isFileOf } from "./file-digest.ts";
import type { JournalEntry } from "./journal.ts";
import { exists } from "./look-at.ts";
import { requireInside } from "./store-writer.ts";

/** One thing that an undo does, or leaves to people. */
export type UndoStep =
  /** What was written goes out of the store, into the work directory. */
  | { readonly does: "take-out"; readonly path: string; readonly aside: string }
  /** What was replaced comes back; what had replaced it is kept. */
  | { readonly does: "put-back"; readonly path: string; readonly kept: string; readonly aside: string | null }
  | { readonly does: "remove-directory"; readonly path: string }
  /** Somebody has changed it since; the reason is half a sentence. */
  | { readonly does: "leave"; readonly path: string; readonly reason: string };

interface Places {
  /** The directory that was repaired. */
  readonly directory: string;
  readonly workDirectory: string;
  /** Data directories of its registries. */
  readonly stores: readonly string[];
}

/**
 * What takes a journal back, last change first. It is told from what lies there now, so an undo that was cut off is
 * simply run again.
 *
 * Errors: E_STORE_UNWRITABLE for a path outside of the stores; those of the file system.
 */
export async function planUndo(
  entries: readonly JournalEntry[],
  places: Places,
): Promise<readonly UndoStep[]> {
  const steps: UndoStep[] = [];
  const notWritten = new Set<string>();
  for (const [index, entry] of [...entries.entries()].reverse()) {
    if (entry.did === "nothing") notWritten.add(entry.path);
    if (entry.did !== "file" && entry.did !== "directory") continue;
    const path = resolve(places.directory, entry.path);
    await requireOurs(path, places.stores);
    if (entry.did === "directory") {
      if (await exists(path)) steps.push({ does: "remove-directory", path });
    } else if (!notWritten.delete(entry.path)) {
      const step = await planFile(entry, path, index, places.workDirectory);
      if (step) steps.push(step);
    }
  }
  return steps;
}

async function planFile(
  { digest: text, kept: name }: Extract<JournalEntry, { did: "file" }>,
  path: string,
  index: number,
  workDirectory: string,
): Promise<UndoStep | undefined> {
  const aside = join(workDirectory, "undone", String(index));
  const kept = name === null ? null : join(workDirectory, "kept", name);
  const digest = parseDigest(text);
  const isThere = await exists(path);
  const isOurs = isThere && digest !== undefined && (await isFileOf(path, digest));
  if (kept === null || !(await exists(kept))) {
    if (!isThere) return undefined;
    // Without what was kept the replacing never came about, so what lies there is the old.
    if (kept !== null) return isOurs ? leave(path, "was replaced, but what it replaced is gone") : undefined;
    return isOurs ? { does: "take-out", path, aside } : leave(path, "has changed since the repair");
  }
  if (isOurs) return { does: "put-back", path, kept, aside };
  if (!isThere) return { does: "put-back", path, kept, aside: null };
  return (await isSameFile(path, kept)) ? undefined : leave(path, "has changed since the repair");
}

function leave(path: string, reason: string): UndoStep {
  return { does: "leave", path, reason };
}

async function requireOurs(path: string, stores: readonly string[]): Promise<void> {
  const store = stores.map(storePath).find((place) => path.startsWith(`${place}/`));
  if (store === undefined)
    throw new ProgramError(
      "E_STORE_UNWRITABLE",
      `${path} lies in none of the stores here; nothing was changed.`,
    );
  await requireInside(store, path);
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = [await lstat(a), await lstat(b)];
  return first.ino === second.ino && first.dev === second.dev;
}

/** Does the steps; gives the directories that are not empty, which others have used since. */
export async function applyUndo(
  steps: readonly UndoStep[],
  effects: Effects,
  workDirectory: string,
): Promise<readonly string[]> {
  const left: string[] = [];
  const undone = join(workDirectory, "undone");
  if (!(await exists(undone))) await effects.makeDirectory(undone, await lstat(workDirectory));
  for (const step of steps) {
    if (step.does === "leave") left.push(`${step.path} ${step.reason}`);
    else if (step.does === "remove-directory") left.push(...(await removeEmpty(step.path, effects)));
    else await moveFile(step, effects);
    if (step.does !== "leave") await effects.syncDirectory(dirname(step.path));
  }
  return left;
}

async function moveFile(
  step: Extract<UndoStep, { does: "take-out" | "put-back" }>,
  effects: Effects,
): Promise<void> {
  if (step.does === "take-out") return effects.replace(step.path, step.aside);
  // An undo that was cut off here has left the name behind.
  if (step.aside !== null && !(await exists(step.aside))) await effects.keep(step.path, step.aside);
  await effects.replace(step.kept, step.path);
}

async function removeEmpty(path: string, effects: Effects): Promise<readonly string[]> {
  try {
    await effects.removeDirectory(path);
    return [];
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    if (systemCode(error) === "ENOTEMPTY") return [`${path} is not empty`];
    throw error;
  }
}
