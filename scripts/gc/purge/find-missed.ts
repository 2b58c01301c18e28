import type { Terminal } from "../../cli/terminal.ts";
import type { MarkOptions, RegistryMark } from "../../mark/mark.ts";
import { markRegistry } from "../../mark/mark-registry.ts";
import { parseDigest } from "../../registry/digest.ts";
import type { DiskSource } from "../../source/disk/registry.ts";
import { isBlob, type Quarantined, type QuarantineIndex } from "../quarantine/contents.ts";
import { type Missed, missedThings } from "../quarantine/missed.ts";
import { scanSome } from "../quarantine/scan-some.ts";

export interface MissedInStores {
  readonly missed: readonly Missed<Quarantined>[];
  /** Data directories of the stores of which it is unknown what they need, each with why. */
  readonly unknown: ReadonlyMap<string, string>;
  /** Whether anything could not be read. */
  readonly isComplete: boolean;
}

/**
 * What the stores need of the quarantine now: by a new mark, which knows the digests in use and those that were
 * overwritten lately, and by a scan, which finds what is missing. What the mark reads it checks as a scan does, so that
 * only repositories are scanned in which it found anything.
 *
 * Errors: E_OUT_OF_MEMORY.
 */
export async function findMissed(
  sources: readonly DiskSource[],
  index: QuarantineIndex,
  options: MarkOptions,
  terminal: Terminal,
): Promise<MissedInStores> {
  const missed: Missed<Quarantined>[] = [];
  const unknown = new Map<string, string>();
  let isComplete = true;
  for (const source of sources) {
    const mark = await markRegistry(source, { ...options, findsFaults: true });
    const findings = await scanSome(source, mark.faulty, terminal);
    missed.push(...missedThings(findings, mark, index), ...missedByMark(mark, index, options));
    const damage = mark.damage.find(({ keeps }) => keeps === "blobs");
    if (damage) unknown.set(source.dataDirectory, `${source.name}: ${damage.place} ${damage.reason}`);
    if (mark.damage.some(({ isUnreadable }) => isUnreadable)) isComplete = false;
    const unread = findings.find(({ cause }) => cause === "unreadable");
    if (unread && !damage)
      unknown.set(source.dataDirectory, `${source.name}: ${unread.place} cannot be read`);
  }
  return { missed, unknown, isComplete };
}

/** Blobs that roots need which no scan knows, and manifests in use. */
function missedByMark(
  mark: RegistryMark,
  index: QuarantineIndex,
  { inUse }: MarkOptions,
): readonly Missed<Quarantined>[] {
  const missed: Missed<Quarantined>[] = [];
  for (const thing of index.values()) {
    if (!thing.path.startsWith(`${mark.dataDirectory}/`)) continue;
    const [hex = "", above = "", algorithm = ""] = thing.path.split("/").reverse();
    const digest = parseDigest(isBlob(thing) ? `${algorithm}:${hex}` : `${above}:${hex}`);
    if (!digest) continue;
    if (isBlob(thing) && mark.isReached(digest)) missed.push({ thing, for: ["a kept manifest"] });
    if (!isBlob(thing) && inUse.has(digest)) missed.push({ thing, for: ["a workload"] });
  }
  return missed;
}
