import fc from "fast-check";
import { neededBy, type StoreImage } from "./ideal.ts";

/** Which tags some rules of retention keep, worked out from the store's files alone and as simply as can be. */

/** One rule, as `retain --rules` reads it: a tag stays when one of `keep` holds. */
export interface KeepRule {
  readonly repositories: readonly string[];
  readonly keep: Keep;
  /** Whether a repository may lose all of its tags; else its newest stays. */
  readonly mayEmpty: boolean;
}

export interface Keep {
  readonly newest?: number;
  /** `Nd` */
  readonly pushedWithin?: string;
  readonly tags?: readonly string[];
  readonly all?: readonly Keep[];
}

const dayMs = 86_400_000;
const companion = /^(sha\d+)-([0-9a-f]+)(?:\.(?:sig|att|sbom))?$/;

/** `REPOSITORY:TAG` of the tags that stay, sorted. */
export function keptTags(image: StoreImage, rules: readonly KeepRule[], now: number): readonly string[] {
  return image.repositories
    .flatMap((repository) => {
      const rule = rules.find(({ repositories }) => repositories.some((one) => fits(one, repository.name)));
      const kept = new Set(repository.tags.flatMap(({ name }) => (companion.test(name) ? [] : [name])));
      if (rule) {
        const ordinary = repository.tags.filter(({ name }) => kept.has(name));
        const newestFirst = ordinary.toSorted(
          (a, b) => b.writtenAt - a.writtenAt || (a.name < b.name ? -1 : 1),
        );
        for (const [place, { name, writtenAt }] of newestFirst.entries())
          if (!holds(rule.keep, { name, place, age: now - writtenAt })) kept.delete(name);
        const [newest] = newestFirst;
        if (newest && kept.size === 0 && !rule.mayEmpty) kept.add(newest.name);
      }
      return [...withCompanions(image, repository, kept, { now, keepsAll: !rule })].map(
        (name) => `${repository.name}:${name}`,
      );
    })
    .sort();
}

interface Ranked {
  readonly name: string;
  /** 0 is the newest. */
  readonly place: number;
  /** Milliseconds. */
  readonly age: number;
}

function holds({ newest, pushedWithin, tags, all }: Keep, tag: Ranked): boolean {
  return (
    (newest !== undefined && tag.place < newest) ||
    (pushedWithin !== undefined && tag.age < Number.parseInt(pushedWithin, 10) * dayMs) ||
    (tags?.some((pattern) => fits(pattern, tag.name)) ?? false) ||
    (all?.every((one) => holds(one, tag)) ?? false)
  );
}

function fits(pattern: string, name: string): boolean {
  const parts = pattern.split(/(\*\*|\*)/).map((part) => {
    if (part === "**") return ".*";
    return part === "*" ? "[^/]*" : part.replace(/[.+]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`).test(name);
}

/**
 * Signatures and fallback tags stay as long as what they are about is needed, and on the day of their push, since an image
 * may get its tag after its signature.
 */
function withCompanions(
  image: StoreImage,
  repository: StoreImage["repositories"][number],
  kept: ReadonlySet<string>,
  { now, keepsAll }: { readonly now: number; readonly keepsAll: boolean },
): ReadonlySet<string> {
  const all = new Set(kept);
  for (let size = -1; size < all.size; ) {
    size = all.size;
    const roots = repository.tags.flatMap(({ name, digest }) => (all.has(name) ? [digest] : []));
    const needed = neededBy(image, repository, roots).names;
    for (const { name, writtenAt } of repository.tags) {
      const [, algorithm, hex] = companion.exec(name) ?? [];
      if (
        algorithm !== undefined &&
        (keepsAll || now - writtenAt < dayMs || needed.has(`${algorithm}:${hex}`))
      )
        all.add(name);
    }
  }
  return all;
}

const one: fc.Arbitrary<Keep> = fc.oneof(
  fc.record({ newest: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ pushedWithin: fc.constantFrom("1d", "5d", "20d") }),
  fc.record({ tags: fc.subarray(["latest", "v*", "1", "2"], { minLength: 1 }) }),
);

const keep: fc.Arbitrary<Keep> = fc.oneof(
  { arbitrary: one, weight: 3 },
  fc.tuple(one, one).map(([a, b]) => ({ ...a, ...b })),
  fc.tuple(one, one).map(([a, b]) => ({ all: [a, b] })),
  fc.tuple(one, one, one).map(([a, b, c]) => ({ ...a, all: [b, c] })),
);

/** One or two rules; a repository of the histories may have none. */
export const randomRules: fc.Arbitrary<readonly KeepRule[]> = fc.array(
  fc.record({
    repositories: fc.constantFrom(["one"], ["team/*"], ["one", "two"], ["team", "team/**"], ["**"]),
    keep,
    mayEmpty: fc.boolean(),
  }),
  { minLength: 1, maxLength: 2 },
);
