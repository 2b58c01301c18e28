import { rm } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { blobsPath, tagsPath } from "../../../../scripts/registry/paths.ts";
import { randomPushes, writePushes } from "../../../support/images/random-pushes.ts";
import { temporaryDirectory } from "../../../support/program.ts";
import { contents } from "../../../support/store/damage/contents.ts";
import { age, day, markStore, namesOf } from "../../../support/store/marks.ts";
import { naivelyNeeded } from "../../../support/store/naive-walk.ts";
import { storeAt } from "../../../support/store/store.ts";
import { treeOf } from "../../../support/store/tree.ts";

/** Pushes, of which some tags are removed later. */
const histories = fc.record({
  pushes: randomPushes,
  removed: fc.array(fc.constantFrom("one/1", "one/2", "two/latest", "team/three/1", "two/1"), {
    maxLength: 4,
  }),
});

test("a mark finds unreached exactly what a simple walk from each tag does not reach", async () => {
  const root = await temporaryDirectory();
  let number = 0;
  await fc.assert(
    fc.asyncProperty(histories, async ({ pushes, removed }) => {
      const directory = join(root, String(number++));
      await writePushes(directory, pushes);
      for (const name of removed) {
        const slash = name.lastIndexOf("/");
        const tag = join(tagsPath(directory, name.slice(0, slash)), name.slice(slash + 1));
        await rm(tag, { recursive: true, force: true });
      }
      const needed = naivelyNeeded(directory);
      const mark = await markStore(directory);
      const dead = mark.dead.filter(({ kind }) => kind === "blob").map((thing): string => thing.digest);
      const all = [...(await treeOf(blobsPath(directory))).keys()].flatMap((path) => {
        const [algorithm, , hex, data] = path.split("/");
        return data ? [`${algorithm}:${hex}`] : [];
      });
      expect(mark.damage).toEqual([]);
      expect(dead.toSorted()).toEqual(all.filter((digest) => !needed.has(digest)).toSorted());
    }),
    { numRuns: 40 },
  );
});

test("threads find what one alone finds, damage included", async () => {
  const directory = await temporaryDirectory();
  const store = storeAt(directory);
  for (let copy = 0; copy < 6; copy++)
    for (const [repository, tag, content] of contents)
      await store.push(`${repository}/${copy}`, content, ...(copy % 2 === 0 ? [tag] : []));
  await store.manifest("broken", "{");
  await age(directory, day);
  const plain = async (threads: number) => {
    const {
      isReached: _,
      startedAt: __,
      ...mark
    } = await markStore(directory, { threads, startedAt: Date.now() });
    return {
      ...mark,
      dead: namesOf(mark.dead),
      unreached: namesOf(mark.unreached),
      completeTags: [...mark.completeTags].sort(),
      linksOf: [...mark.total.linksOf].sort(),
      total: { ...mark.total, linksOf: null },
    };
  };
  const alone = await plain(0);
  expect(alone.dead.length).toBeGreaterThan(20);
  expect(alone.damage).toHaveLength(1);
  for (const threads of [1, 3]) expect(await plain(threads)).toEqual(alone);
}, 60_000);
