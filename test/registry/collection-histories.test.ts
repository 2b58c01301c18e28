import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exitCodes } from "../../contract/exit-codes.ts";
import { type Ages, ageStore, randomAges } from "../support/collection/ages.ts";
import { garbageCollect, onCopy } from "../support/collection/garbage-collect.ts";
import {
  type IdealCollection,
  idealCollection,
  linksOf,
  lostTags,
  readStoreImage,
  type StoreImage,
  subjectsIn,
} from "../support/collection/ideal.ts";
import { type KeepRule, keptTags, randomRules } from "../support/collection/kept-tags.ts";
import { gc, retain } from "../support/commands.ts";
import { type History, planHistory } from "../support/histories/history.ts";
import { emptyRegistry, makeHistory } from "../support/histories/make-history.ts";
import { type Model, nameOf, tagsOf } from "../support/histories/model.ts";
import { brokenTagsOf, pullAll } from "../support/histories/pull.ts";
import { wastefulHistories } from "../support/histories/random-history.ts";
import { temporaryDirectory } from "../support/program.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { deleteManifest } from "../support/registry/upload.ts";
import { changedFiles, treeOf } from "../support/store/tree.ts";

/** Each costs about a second. */
const runs = Number(process.env.REGWARDEN_HISTORIES ?? 24);
/** A failure is printed at once, with its seed; given that, it is made smaller first. */
const parameters = { numRuns: runs, endOnFailure: !Number(process.env.REGWARDEN_SEED) };
/** Of every so many histories one is pulled by skopeo too, which takes a second. */
const skopeoEvery = 8;
const dayMs = 86_400_000;

const counts = {
  histories: 0,
  tags: 0,
  dropped: 0,
  blobs: 0,
  freed: 0,
  lost: 0,
  lostByDashM: 0,
  brokenBy: 0,
};

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry(undefined, { isInMemory: true });
});
afterAll(async () => {
  const { histories, tags, dropped, blobs, freed, lost, lostByDashM, brokenBy } = counts;
  console.info(
    `${histories} histories, ${tags} tags, ${dropped} dropped by rules; retain and gc freed ${freed} of ${blobs} blobs ` +
      `and lost ${lost} tags; garbage-collect -m on the same stores lost ${lostByDashM} tags of ${brokenBy} histories`,
  );
  await registry.dispose();
});

const overwrittenDays = fc.constantFrom(0, 7);
const times = fc.oneof(
  fc.record({ ages: randomAges(0), graceHours: fc.constant(0) }),
  fc.record({ ages: randomAges(3), graceHours: fc.constant(1) }),
);

test("retention and collection of random histories keep every tag that the rules keep, and free what an ideal collection frees", async () => {
  const check = fc.asyncProperty(
    wastefulHistories,
    randomRules,
    times,
    overwrittenDays,
    async (history, rules, { ages, graceHours }, days) => {
      const model = await make(history, ages);
      const kept = await retainAs(rules, model);
      const now = Date.now();
      const before = readStoreImage(registry.directory);
      const tree = await treeOf(registry.directory);
      const ideal = idealCollection(before, {
        now,
        graceMs: graceHours * 3_600_000,
        overwrittenMs: days * dayMs,
      });
      await countDashM(before);
      // As --offline promises; it is refused else.
      await registry.stop();
      const flags = ["--grace", `${graceHours}h`, "--overwritten", `${days}d`];
      const run = await collect(before, ideal, flags);
      await expectNothingMore(flags);
      await registry.start();
      expect(brokenTagsOf(await pullAll(registry.url, kept))).toEqual([]);
      if (counts.histories++ % skopeoEvery === 0) await pullBySkopeo(kept);
      const removed = removedRevisions(before, readStoreImage(registry.directory));
      if (run !== null) await gc(registry.directory, "--undo", run, "--apply");
      expect(changedFiles(tree, await treeOf(registry.directory)).filter(isInStore)).toEqual([]);
      if (graceHours === 0) await expectAgreement(removed, ideal, before);
    },
  );
  await fc.assert(check, parameters);
  expect(counts.freed).toBeGreaterThan(0);
}, 7_200_000);

async function make(history: History, ages: Ages): Promise<Model> {
  const { actions, model } = planHistory(history);
  await emptyRegistry(registry);
  await makeHistory(registry, actions);
  await ageStore(registry.directory, ages, Date.now());
  return model;
}

/** Applies the rules; of the model, what they keep is left. */
async function retainAs(rules: readonly KeepRule[], model: Model): Promise<Model> {
  const expected = keptTags(readStoreImage(registry.directory), rules, Date.now());
  const file = join(await temporaryDirectory(), "rules.yaml");
  await writeFile(file, JSON.stringify({ rules }));
  const all = ["--max-removed", "100%"];
  const { exitCode, stderr } = await retain(registry.directory, ...all, "--rules", file, "--apply");
  expect([stderr, exitCode]).toEqual(["", exitCodes.clean]);
  const left = readStoreImage(registry.directory).repositories.flatMap(({ name, tags }) =>
    tags.map((tag) => `${name}:${tag.name}`),
  );
  expect(left.sort()).toEqual(expected);
  counts.tags += tagsOf(model).length;
  counts.dropped += tagsOf(model).length - expected.length;
  const keeps = new Set(expected);
  const repositories = [...model.repositories].map(([repository, one]) => {
    const tags = [...one.tags].filter(([tag]) => keeps.has(nameOf({ repository, tag })));
    return [repository, { ...one, tags: new Map(tags) }] as const;
  });
  return { repositories: new Map(repositories) };
}

/** Collects, and compares what is gone with the ideal. Returns the run's name; null where nothing was removed. */
async function collect(
  before: StoreImage,
  ideal: IdealCollection,
  flags: readonly string[],
): Promise<string | null> {
  const applied = ["--apply", "--offline", "--dead-for", "0s", "--budget", "100%"];
  const { report, exitCode, stderr } = await gc(registry.directory, ...applied, ...flags);
  expect([stderr, exitCode]).toEqual(["", exitCodes.clean]);
  const after = readStoreImage(registry.directory);
  const freed = [...before.blobs.keys()].filter((digest) => !after.blobs.has(digest)).sort();
  expect(freed).toEqual([...ideal.blobs].sort());
  const links = linksOf(after);
  const gone = [...linksOf(before)].filter((path) => !links.has(path));
  expect(gone.filter((path) => ideal.keptLinks.has(path))).toEqual([]);
  expect([...ideal.links].filter((path) => links.has(path))).toEqual([]);
  counts.blobs += before.blobs.size;
  counts.freed += freed.length;
  counts.lost += lostTags(before, after).length;
  const [sum] = report.registries;
  expect([sum?.removed.blobs, sum?.removed.bytes, report.proof?.lost ?? []]).toEqual([
    freed.length,
    ideal.bytes,
    [],
  ]);
  return gone.length + freed.length === 0 ? null : report.run;
}

async function expectNothingMore(flags: readonly string[]): Promise<void> {
  const image = readStoreImage(registry.directory);
  const again = await gc(registry.directory, "--dead-for", "0s", ...flags);
  expect([again.report.registries[0]?.removed, again.exitCode]).toEqual([
    { revisionLinks: 0, layerLinks: 0, blobs: 0, bytes: 0 },
    exitCodes.clean,
  ]);
  expect(readStoreImage(registry.directory).blobs).toEqual(image.blobs);
}

async function pullBySkopeo(kept: Model): Promise<void> {
  // It copies neither entries of an index that are blobs, nor what lies elsewhere or under another algorithm's digest.
  const plain = tagsOf(kept).find(({ content: { bytes } }) => {
    const text = new TextDecoder().decode(bytes);
    return text.includes('"layers"') && !text.includes('"urls"') && !text.includes("sha512:");
  });
  if (plain) await registry.pull(plain.repository, plain.tag);
}

/** How many tags the registry's own collection of untagged manifests loses. */
async function countDashM(before: StoreImage): Promise<void> {
  await onCopy(registry.directory, async (copy) => {
    // It gives up at a repository that never had a tag.
    await garbageCollect(copy, "-m").catch(() => {});
    const lost = lostTags(before, readStoreImage(copy)).length;
    counts.lostByDashM += lost;
    counts.brokenBy += lost > 0 ? 1 : 0;
  });
}

function removedRevisions(before: StoreImage, after: StoreImage) {
  const left = linksOf(after);
  return before.repositories.flatMap(({ name, revisions }) =>
    [...revisions.values()].flatMap((link) => (left.has(link.path) ? [] : [{ repository: name, link }])),
  );
}

/**
 * Removes by requests the manifests that the collection removed, and has the registry sweep without `-m`: the same blobs
 * stay, but for those that were pushed by another algorithm's digest, which 2.8.3 loses then, and for what a kept manifest
 * is about though nothing links it: 2.8.3 knows no subjects.
 */
async function expectAgreement(
  removed: ReturnType<typeof removedRevisions>,
  ideal: IdealCollection,
  before: StoreImage,
): Promise<void> {
  for (const { repository, link } of removed)
    await deleteManifest(registry, repository, link.name as Parameters<typeof deleteManifest>[2]);
  await garbageCollect(registry.directory);
  const after = readStoreImage(registry.directory);
  const freed = [...before.blobs.keys()].filter((digest) => !after.blobs.has(digest));
  const aliased = new Set(
    before.repositories.flatMap(({ revisions, layers }) =>
      [...revisions.values(), ...layers.values()].flatMap(({ name, digest }) =>
        name === digest ? [] : [digest],
      ),
    ),
  );
  const subjects = subjectsIn(after);
  const isCompared = (digest: string) => !aliased.has(digest) && !subjects.has(digest);
  const compare = (digests: Iterable<string>) => [...digests].filter(isCompared).sort();
  expect(compare(freed)).toEqual(compare(ideal.blobs));
}

function isInStore(path: string): boolean {
  return path.startsWith("docker/");
}
