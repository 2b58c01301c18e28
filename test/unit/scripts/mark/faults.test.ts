import { readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { storePath } from "../../../../scripts/registry/paths.ts";
import { diskSource } from "../../../../scripts/source/disk/registry.ts";
import { scanRegistry } from "../../../../scripts/store-check/scan-registry.ts";
import { temporaryDirectory } from "../../../support/program.ts";
import { contents } from "../../../support/store/damage/contents.ts";
import { markStore } from "../../../support/store/marks.ts";
import { storeAt } from "../../../support/store/store.ts";

/** A store with all kinds of images. */
async function storeWithAll() {
  const directory = await temporaryDirectory();
  const store = storeAt(directory);
  for (const [repository, tag, content] of contents) await store.push(repository, content, tag);
  const broken = async () => {
    const { findings } = await scanRegistry(diskSource("private", directory), "authoritative", () => {});
    return [...new Set(findings.flatMap(({ repository }) => repository ?? []))].sort();
  };
  return {
    directory,
    broken,
    faulty: async () => (await markStore(directory, { findsFaults: true })).faulty,
    unasked: async () => (await markStore(directory)).faulty,
  };
}

async function files(directory: string): Promise<readonly string[]> {
  const found = await readdir(storePath(directory), { recursive: true, withFileTypes: true });
  return found
    .filter(({ name }) => name === "link" || name === "data")
    .map(({ parentPath, name }) => join(parentPath, name));
}

test.each([
  ["gone", undefined, 0],
  ["empty", "", 1],
  ["altered", "of other bytes", 2],
])(
  "Whatever file is %s, a mark names the repositories that a scan finds broken, where it is asked",
  async (_, content, turn) => {
    const { directory, broken, faulty, unasked } = await storeWithAll();
    expect(await faulty()).toEqual([]);
    let found = 0;
    // A third of them each, as a scan and two marks of each take their time.
    for (const path of (await files(directory)).filter((_name, at) => at % 3 === turn)) {
      const away = join(directory, "away");
      await rename(path, away);
      if (content !== undefined) await writeFile(path, content);
      const scanned = await broken();
      expect([path, await faulty()]).toEqual([path, scanned]);
      expect(await unasked()).toEqual([]);
      found += scanned.length;
      await rename(away, path);
    }
    expect(found).toBeGreaterThan(10);
  },
  60_000,
);
