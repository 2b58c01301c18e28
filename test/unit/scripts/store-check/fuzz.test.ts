import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestOf } from "../../../../scripts/registry/digest.ts";
import { discoverRegistries } from "../../../../scripts/source/disk/registry.ts";
import { type ScanOptions, scanRegistry } from "../../../../scripts/store-check/scan-registry.ts";
import { type Content, isManifest } from "../../../support/images/oci-content.ts";
import { contents } from "../../../support/store/damage/contents.ts";
import { bytesOf, type Corruption, corrupt, corruptions } from "../../../support/store/damage/corruptions.ts";
import { storeAt } from "../../../support/store/store.ts";

/** Stores that are spoiled; the whole ten thousand take minutes and are run by hand. */
const runs = Number(process.env.REGWARDEN_FUZZ_RUNS ?? 500);

let scratch: string;
beforeAll(() => {
  // In memory, where there is such a place: a disk takes ten times as long.
  scratch = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "regwarden-fuzz-"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Reads every byte, so that no change can hide. */
const options: ScanOptions = {
  verification: { roles: new Set(["config", "layer"]), pace: async () => {} },
};

async function findingsIn(directory: string): Promise<number> {
  const { sources } = await discoverRegistries(directory);
  let count = 0;
  for (const source of sources)
    count += (await scanRegistry(source, "authoritative", () => {}, options)).findings.length;
  return count;
}

/** The files that one push needs, whether other pushes need them as well. */
function neededFiles(directory: string, content: Content, repository: string): readonly string[] {
  const store = storeAt(directory);
  const { digest } = content.descriptor;
  // What was pushed by another algorithm has a link by each of its digests.
  const canonical = digestOf(content.bytes);
  const links = isManifest(content)
    ? [store.revisionLink(repository, digest)]
    : [digest, canonical].map((one) => store.layerLink(repository, one));
  return [
    ...new Set(links),
    store.blobData(canonical),
    ...content.parts.flatMap((part) => neededFiles(directory, part, repository)),
  ];
}

/** What lies at a path now: its bytes, or that it is something else. */
const lookAt = (path: string) => bytesOf(path)?.toString("latin1") ?? "no small file";

/** Whether a tag's link still leads to what some push of its repository made: then it was only moved. */
function isMoved(directory: string, repository: string, tag: string): boolean {
  const link = lookAt(storeAt(directory).tagLink(repository, tag));
  const digests = (content: Content): readonly string[] =>
    content.parts.length === 0 ? [] : [content.descriptor.digest, ...content.parts.flatMap(digests)];
  return contents.some(([name, , content]) => name === repository && digests(content).includes(link));
}

test("no spoiled store stops the scan, and none passes for clean that lacks what a tag needs", async () => {
  const directory = scratch;
  for (const [repository, tag, content] of contents) await storeAt(directory).push(repository, content, tag);
  expect(await findingsIn(directory)).toBe(0);
  const needed = new Set(contents.flatMap(([name, , content]) => neededFiles(directory, content, name)));
  const tagLinks = contents.map(([name, tag]) => storeAt(directory).tagLink(name, tag));
  const files = [...needed, ...tagLinks];
  const original = new Map(files.map((path) => [path, readFileSync(path)]));
  let harmful = 0;
  const heal = (path: string) => {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, original.get(path) ?? "");
  };
  const spoil = (damage: readonly Corruption[]) => {
    const touched = damage.flatMap((one) => corrupt(files, one) ?? []);
    const isChanged = (path: string) =>
      touched.includes(path) && lookAt(path) !== original.get(path)?.toString("latin1");
    const isTagLost = contents.some(
      ([name, tag]) => isChanged(storeAt(directory).tagLink(name, tag)) && !isMoved(directory, name, tag),
    );
    // Where a tag was moved, what it led to before may be needed by nobody.
    const isAnyMoved = contents.some(([name, tag], at) => {
      const link = tagLinks[at];
      return link !== undefined && isChanged(link) && isMoved(directory, name, tag);
    });
    return { touched, isHarmful: isTagLost || (!isAnyMoved && [...needed].some(isChanged)) };
  };
  await fc.assert(
    fc.asyncProperty(corruptions, async (damage) => {
      const { touched, isHarmful } = spoil(damage);
      const found = await findingsIn(directory);
      touched.forEach(heal);
      if (isHarmful) {
        harmful += 1;
        expect(found).toBeGreaterThan(0);
      }
    }),
    { numRuns: runs },
  );
  expect(harmful).toBeGreaterThan(runs / 2);
}, 3_600_000);
