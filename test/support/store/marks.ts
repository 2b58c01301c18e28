import { readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { MarkOptions, RegistryMark } from "../../../scripts/mark/mark.ts";
import { markRegistry } from "../../../scripts/mark/mark-registry.ts";
import type { Thing } from "../../../scripts/mark/thing.ts";
import { diskSource } from "../../../scripts/source/disk/registry.ts";

export const hour = 3_600_000;
export const day = 24 * hour;

/** One mark is enough, and nothing is too young, but for what options say. */
export const atOnce: MarkOptions = { graceMs: 0, overwrittenMs: 0, inUse: new Set(), deadForMs: 0 };

/** Marks the store in a data directory; all that is unreached is dead but for what the options say. */
export function markStore(directory: string, options: Partial<MarkOptions> = {}): Promise<RegistryMark> {
  return markRegistry(diskSource("private", directory), { ...atOnce, ...options });
}

/** Things as tests name them: `blob DIGEST`, `revision-link REPOSITORY DIGEST`; sorted. */
export function namesOf(things: readonly Thing[]): readonly string[] {
  return things
    .map((thing) =>
      [thing.kind, ...(thing.kind === "blob" ? [] : [thing.repository]), thing.digest].join(" "),
    )
    .sort();
}

/** Makes files and directories as old as if they had been written some time ago. */
export async function age(path: string, byMs: number): Promise<void> {
  const when = new Date(Date.now() - byMs);
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  for (const entry of entries) await utimes(join(entry.parentPath, entry.name), when, when);
}
