import type { DiskSource } from "../source/disk/registry.ts";
import type { MarkOptions, RegistryMark } from "./mark.ts";
import { markRegistry } from "./mark-registry.ts";
import type { Thing } from "./thing.ts";

/**
 * Of some things that a mark found dead, those that are needed now or were written since, each with why: half a sentence.
 *
 * Errors: none of the store; what cannot be read keeps what it might need.
 */
export async function remark(
  source: DiskSource,
  mark: RegistryMark,
  things: readonly Thing[],
  options: MarkOptions,
): Promise<ReadonlyMap<Thing, string>> {
  const again = await markRegistry(source, { ...options, deadForMs: 0, ages: undefined });
  const still = new Set(again.dead.map(({ path }) => path));
  const needed = things.filter(({ path, writtenAt }) => !still.has(path) || writtenAt >= mark.startedAt);
  return new Map(needed.map((thing) => [thing, "is needed by what was pushed since"]));
}
