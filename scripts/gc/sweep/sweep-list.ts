import type { Thing } from "../../mark/thing.ts";
import { blobDirectory } from "../../registry/paths.ts";
import type { Move } from "../../store-change/move-files.ts";
import { linksOf, neededFor, type Placed } from "../quarantine/needed.ts";
import type { Touched } from "./touches.ts";

/** A thing that is to be moved out of its store, and its move. */
export interface Swept extends Placed {
  readonly thing: Thing;
  readonly registry: string;
  readonly dataDirectory: string;
  readonly move: Move;
}

/** By their paths in the stores, in the order in which they are moved. */
export type SweepList = ReadonlyMap<string, Swept>;

/** Those that were moved, where they are now. */
export function movedOf(list: SweepList, made: Iterable<Move>): SweepList {
  const moved = new Map<string, Swept>();
  for (const move of made) {
    const swept = list.get(move.from);
    if (swept?.move === move) moved.set(swept.path, { ...swept, at: move.to });
  }
  return moved;
}

/**
 * What of a list must stay because clients were told that it exists: they send it not again, nor what it needs. Of the
 * digests that are touched nearly all are needed by tags, and are not in the list.
 */
export function touchedThings(list: SweepList, touched: Touched): ReadonlySet<Swept> {
  const stay = new Set<Swept>();
  if (touched.size === 0) return stay;
  const stores = new Set([...list.values()].map(({ dataDirectory }) => dataDirectory));
  for (const [digest, repositories] of touched)
    for (const dataDirectory of stores) {
      const blob = list.get(blobDirectory(dataDirectory, digest));
      if (blob) stay.add(blob);
      for (const repository of repositories) {
        const home = { dataDirectory, repository };
        if (linksOf(home, digest).some(([, path]) => list.has(path)))
          for (const one of neededFor(home, digest, list)) stay.add(one);
      }
    }
  return stay;
}

/** Some things of a list, and what of it their links lead to. */
export function withNeeds(list: SweepList, some: Iterable<Swept>): ReadonlySet<Swept> {
  const stay = new Set<Swept>();
  for (const swept of some) {
    stay.add(swept);
    const { thing, dataDirectory } = swept;
    if (thing.kind === "blob") continue;
    const home = { dataDirectory, repository: thing.repository };
    for (const one of neededFor(home, thing.digest, list)) stay.add(one);
  }
  return stay;
}
