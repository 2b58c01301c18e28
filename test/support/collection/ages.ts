import { readdir, readFile, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import fc from "fast-check";

/** When the files of a store were written, as a registry in use for weeks has them. */
export interface Ages {
  /** Half hours since tags were pushed, in the order of their paths; more tags take them from the start again. */
  readonly tags: readonly number[];
  /** Whether a blob or link was written a moment ago, in the order of their paths. */
  readonly isYoung: readonly boolean[];
}

const minuteMs = 60_000;
const dayMs = 1440 * minuteMs;

/** `young`: out of ten things, how many are. */
export function randomAges(young: 0 | 3): fc.Arbitrary<Ages> {
  const weights = [
    { arbitrary: fc.constant(false), weight: 10 - young },
    { arbitrary: fc.constant(true), weight: young },
  ];
  return fc.record({
    tags: fc.array(fc.integer({ min: 1, max: 48 * 30 }), { minLength: 30, maxLength: 30 }),
    isYoung: fc.array(fc.oneof(...weights), { minLength: 60, maxLength: 60 }),
  });
}

/**
 * Writes them: each tag at a minute of its own, what it pointed at before some time earlier; all else two days old, or ten
 * minutes.
 */
export async function ageStore(directory: string, { tags, isYoung }: Ages, now: number): Promise<void> {
  const root = join(directory, "docker/registry/v2");
  const all = await readdir(root, { recursive: true, withFileTypes: true });
  const files = all
    .flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []))
    .filter((path) => !path.includes("/_uploads/"))
    .toSorted((a, b) => (a < b ? -1 : 1));
  let tag = -1;
  let former = 0;
  let present = "";
  for (const [at, path] of files.entries()) {
    let age = isYoung[at % isYoung.length] ? 10 * minuteMs : 2 * dayMs;
    if (path.includes("/_manifests/tags/")) {
      const text = await readFile(path, "latin1");
      if (path.endsWith("/current/link")) [tag, former, present] = [tag + 1, 0, text];
      else if (text !== present) former += tags[(tag + former) % tags.length] ?? 0;
      // Half a minute apart from every limit that a rule can have.
      age =
        (((tags[tag % tags.length] ?? 0) + (text === present ? 0 : former)) * 30 + (tag % 30) + 0.5) *
        minuteMs;
    }
    const written = new Date(now - age);
    await utimes(path, written, written);
    await utimes(dirname(path), written, written);
  }
}
