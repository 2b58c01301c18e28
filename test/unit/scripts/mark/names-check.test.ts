import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createMarkEngines } from "../../../../scripts/mark/mark-engine.ts";
import { storePath } from "../../../../scripts/registry/paths.ts";
import { diskSource } from "../../../../scripts/source/disk/registry.ts";
import { scanRegistry } from "../../../../scripts/store-check/scan-registry.ts";
import { temporaryDirectory } from "../../../support/program.ts";
import { contents } from "../../../support/store/damage/contents.ts";
import { markStore } from "../../../support/store/marks.ts";
import { storeAt } from "../../../support/store/store.ts";

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops) await stop();
});

/** A store with all kinds of images, and what has marked it. */
async function markedStore(threads: number) {
  const directory = await temporaryDirectory();
  const store = storeAt(directory);
  for (const [repository, tag, content] of contents) await store.push(repository, content, tag);
  const engines = createMarkEngines(threads);
  stops.push(engines.stop);
  await markStore(directory, { engines });
  const source = diskSource("private", directory);
  const broken = async () => {
    const { findings } = await scanRegistry(source, "authoritative", () => {});
    return [...new Set(findings.flatMap(({ repository }) => repository ?? []))].sort();
  };
  return { directory, store, broken, suspects: async () => engines.of(source).suspects() };
}

/** Directories of links and blobs: what a collection moves. */
async function movable(directory: string): Promise<readonly string[]> {
  const found = await readdir(storePath(directory), { recursive: true, withFileTypes: true });
  return found
    .filter(({ name, parentPath }) => (name === "link" || name === "data") && !parentPath.includes("/tags/"))
    .map(({ parentPath }) => parentPath);
}

test.each([0, 2])(
  "whatever directory is gone, each repository that a scan finds broken is suspected (%i threads)",
  async (threads) => {
    const { directory, broken, suspects } = await markedStore(threads);
    expect(await broken()).toEqual([]);
    const doubtful = await suspects();
    const away = join(directory, "away");
    let found = 0;
    for (const path of await movable(directory)) {
      await rename(path, away);
      const [scanned, suspected] = [await broken(), await suspects()];
      expect(suspected).toEqual(expect.arrayContaining([...scanned]));
      found += scanned.length;
      await rename(away, path);
    }
    expect(found).toBeGreaterThan(20);
    expect(await suspects()).toEqual(doubtful);
  },
  60_000,
);

test("a repository that is complete is not suspected, and one that came after the mark is", async () => {
  const { store, suspects } = await markedStore(0);
  expect(await suspects()).not.toContain("app");
  await store.manifest("late", "{}", "1");
  expect(await suspects()).toContain("late");
});
