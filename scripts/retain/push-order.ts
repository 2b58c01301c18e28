import type { Tag } from "./tag.ts";

/**
 * Newest first. Of tags that were pushed at the same time, the one whose name comes later counts as newer: most names count
 * upwards.
 */
export function byPushTime(tags: readonly Tag[]): readonly Tag[] {
  return tags.toSorted((a, b) => b.pushedAt - a.pushedAt || (a.name < b.name ? 1 : a.name > b.name ? -1 : 0));
}

/** Fewer manifests than this may well be pushed in one minute, as the variants of one image. */
const fewestCopies = 5;
const minuteMs = 60_000;

/**
 * How many manifests of a repository came within one minute, where those are most of at least five: then the times are
 * those of a copy, and say nothing about the order of the pushes. Tags of one manifest are often pushed together, and
 * count once.
 */
export function findCopy(tags: readonly Tag[]): number | undefined {
  const first = new Map<string, number>();
  for (const { digest, pushedAt } of tags)
    first.set(digest, Math.min(first.get(digest) ?? Number.POSITIVE_INFINITY, pushedAt));
  const times = [...first.values()].sort((a, b) => a - b);
  let most = 0;
  let from = 0;
  times.forEach((time, to) => {
    while (time - (times[from] ?? time) >= minuteMs) from += 1;
    most = Math.max(most, to - from + 1);
  });
  return times.length >= fewestCopies && most * 2 > times.length ? most : undefined;
}

/** Clocks of two machines differ by a little. */
const clockToleranceMs = 5 * minuteMs;

/** The latest push that is in the future: the clock is, or was, wrong. */
export function findFuture(tags: readonly Tag[], now: number): Tag | undefined {
  const [newest] = byPushTime(tags);
  return newest && newest.pushedAt > now + clockToleranceMs ? newest : undefined;
}
