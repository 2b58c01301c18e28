import { type OverwrittenRule, parseDuration } from "../../contract/retention-rules.ts";
import type { Digest } from "../registry/digest.ts";
import type { LinkFact, StoreSource } from "../source/source.ts";
import type { Damage } from "./mark.ts";
import { unreadableDamage } from "./needs.ts";

/** Manifests that tags pointed to, and what of that could not be read. */
export interface FormerRoots {
  readonly roots: readonly Digest[];
  readonly damage: readonly Damage[];
}

/** Which of the manifests that a tag pointed to before are roots: those that meet both. */
export interface FormerLimits {
  /** It pointed there at any time since then, in milliseconds since 1970. */
  readonly since: number;
  /** It is one of the last so many. */
  readonly count: number;
}

/**
 * What a repository's rule says of the manifests that its tags pointed to before; else all of the time `overwrittenMs`.
 * `now`: begin of the mark.
 */
export function formerLimits(
  rule: OverwrittenRule | undefined,
  now: number,
  overwrittenMs: number,
): FormerLimits {
  if (!rule) return { since: now - overwrittenMs, count: Number.POSITIVE_INFINITY };
  const withinMs = rule.within === undefined ? undefined : parseDuration(rule.within);
  return {
    since: withinMs === undefined ? Number.NEGATIVE_INFINITY : now - withinMs,
    count: rule.keep ?? Number.POSITIVE_INFINITY,
  };
}

/**
 * The manifests that the tags of a repository pointed to, within limits: a tag points to one until it points to the next.
 * Of a tag whose link is of no use, all that it ever pointed to.
 *
 * The times of the links are those of the pushes. A tag whose present link is older was not overwritten since, so that its
 * former manifests need not be listed.
 */
export async function readFormerRoots(
  source: StoreSource,
  repository: string,
  tags: readonly LinkFact[],
  { since, count }: FormerLimits,
): Promise<FormerRoots> {
  const roots: Digest[] = [];
  const damage: Damage[] = [];
  for (const { name, link } of tags) {
    const current = link.state === "linked" ? (link.modifiedAt ?? Number.POSITIVE_INFINITY) : undefined;
    if (name === null || (current !== undefined && current < since)) continue;
    const former: Former[] = [];
    for await (const fact of source.tagHistory(repository, name, { withTimes: true })) {
      if (fact.link.state === "linked")
        former.push({ digest: fact.link.digest, from: fact.link.modifiedAt ?? Number.POSITIVE_INFINITY });
      else if (fact.link.state === "unreadable") damage.push(unreadableDamage(repository, fact.link));
    }
    if (current === undefined) roots.push(...former.map(({ digest }) => digest));
    else roots.push(...pointedToSince(former, since).slice(-count - 1));
  }
  return { roots, damage };
}

interface Former {
  readonly digest: Digest;
  readonly from: number;
}

function pointedToSince(former: readonly Former[], since: number): readonly Digest[] {
  const ordered = former.toSorted((a, b) => a.from - b.from);
  return ordered
    .filter((_, position) => (ordered[position + 1]?.from ?? Number.POSITIVE_INFINITY) >= since)
    .map(({ digest }) => digest);
}
