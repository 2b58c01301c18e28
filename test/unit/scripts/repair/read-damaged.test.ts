import { rm, truncate, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { type Digest, digestOf } from "../../../../scripts/registry/digest.ts";
import type { CopySource } from "../../../../scripts/repair/copy-source.ts";
import { storeCopySource } from "../../../../scripts/repair/copy-source.ts";
import { rootsOf } from "../../../../scripts/repair/damaged-repository.ts";
import { createCopySearch } from "../../../../scripts/repair/find-copies.ts";
import { blobNeeds, ownNeed } from "../../../../scripts/repair/needs.ts";
import { planRepair } from "../../../../scripts/repair/plan.ts";
import { readDamaged } from "../../../../scripts/repair/read-damaged.ts";
import type { Suspicion } from "../../../../scripts/repair/suspicions.ts";
import { diskSource } from "../../../../scripts/source/disk/registry.ts";
import { unlimitedPace } from "../../../../scripts/source/pace.ts";
import type { Unreadable } from "../../../../scripts/source/source.ts";
import { createVerifiedBlobs } from "../../../../scripts/source/verified-blobs.ts";
import { digest, image, imageOf, index, layer as layerOf } from "../../../support/images/oci-content.ts";
import { temporaryDirectory } from "../../../support/program.ts";
import { flipByte } from "../../../support/store/damage/damage.ts";
import { type Store, storeAt } from "../../../support/store/store.ts";

const amd64 = image("amd64", "linux/amd64");
const arm64 = image("arm64", "linux/arm64");
const multi = index([amd64, arm64]);
const other = image("other", "linux/amd64");
const [config, layer] = amd64.parts.map(digest);
if (!config || !layer) throw new Error("an image has two parts");

/** What a repair reads of a repository, and which blobs it read to their end. */
async function read(
  store: Store,
  { copiesIn, ...suspicion }: Partial<Suspicion> & { readonly copiesIn?: Store } = {},
) {
  const verified: Digest[] = [];
  const disk = diskSource("private", store.directory);
  const source: typeof disk = {
    ...disk,
    verifiedBlob: (digest, ...more) => {
      verified.push(digest);
      return disk.verifiedBlob(digest, ...more);
    },
  };
  const sources: CopySource[] = [];
  if (copiesIn) {
    const cache = diskSource("cache", copiesIn.directory);
    sources.push(storeCopySource(cache, createVerifiedBlobs(cache, unlimitedPace)));
  }
  const unread: Unreadable[] = [];
  const copies = createCopySearch(sources);
  const reads = {
    source,
    verified: createVerifiedBlobs(source, unlimitedPace),
    copies,
    onUnreadable: (fault: Unreadable) => void unread.push(fault),
  };
  const wanted = { repository: "app", lostTags: [], altered: new Set<string>(), ...suspicion };
  const repository = await readDamaged(reads, wanted);
  return { repository, verified: verified.sort(), found: copies.found, unread };
}

async function newStore(): Promise<Store> {
  const store = storeAt(await temporaryDirectory());
  await store.push("app", multi, "1");
  await store.push("app", other, "other");
  return store;
}

const gone = (path: string) => rm(dirname(path), { recursive: true });

describe("a repository with damage", () => {
  test("is read by every byte where an image is damaged, and there alone", async () => {
    const store = await newStore();
    await gone(store.revisionLink("app", digest(amd64)));
    const { repository, verified } = await read(store);
    expect(verified).toEqual([config, layer].sort());
    expect(ownNeed(repository, digest(amd64)).link).toMatchObject({ cause: "link-missing" });
    expect(rootsOf(repository)).toEqual([{ tag: "1", digest: digest(multi), fault: null }]);
  });

  test("shows damage of a blob that has the right length, and for whom else it matters", async () => {
    const store = await newStore();
    const shared = index([amd64]);
    await store.push("app", shared, "shared");
    await gone(store.layerLink("app", config));
    const bytes = amd64.parts[1]?.bytes ?? new Uint8Array();
    await writeFile(
      store.blobData(layer),
      bytes.map((byte) => byte ^ 1),
    );
    const { repository } = await read(store);
    expect(
      blobNeeds(repository, digest(amd64)).map(({ content, link }) => content?.cause ?? link?.cause),
    ).toEqual(["link-missing", "digest-mismatch"]);
    expect(rootsOf(repository).map(({ tag }) => tag)).toEqual(["1", "shared"]);
  });

  test("is kept as far as its damaged images reach", async () => {
    const store = await newStore();
    await gone(store.revisionLink("app", digest(amd64)));
    const { facts } = (await read(store)).repository.view;
    expect([...facts.manifests.keys()].sort()).toEqual([amd64, arm64, multi].map(digest).sort());
    expect(facts.layerLinks.map(({ name }) => name).sort()).toEqual(
      [...amd64.parts, ...arm64.parts].map(digest).sort(),
    );
    expect(facts.tags.map(({ name }) => name)).toEqual(["1"]);
  });

  test("is kept without anything where the damage is gone by now", async () => {
    const { repository } = await read(await newStore());
    expect(rootsOf(repository)).toEqual([]);
    expect(repository.view.facts.layerLinks).toEqual([]);
  });

  test("is read by every byte where a scan found other bytes in an image that seems complete", async () => {
    const store = await newStore();
    await writeFile(store.blobData(config), Buffer.alloc(amd64.parts[0]?.bytes.length ?? 0, "x"));
    expect(rootsOf((await read(store)).repository)).toEqual([]);
    const { repository } = await read(store, { altered: new Set([config]) });
    expect(blobNeeds(repository, digest(amd64))[0]?.content).toMatchObject({ cause: "digest-mismatch" });
  });

  test("is read on below a lost manifest, and of its index, in another registry's copy", async () => {
    const [store, cache] = [await newStore(), await newStore()];
    for (const lost of [multi, amd64]) await gone(store.blobData(digest(lost)));
    await truncate(store.blobData(layer), 3);
    const { repository, found } = await read(store, { copiesIn: cache });
    expect([...repository.copied.keys()].sort()).toEqual([multi, amd64].map(digest).sort());
    expect(ownNeed(repository, digest(multi)).content).toMatchObject({ cause: "blob-missing" });
    expect(blobNeeds(repository, digest(amd64))[1]?.content).toMatchObject({ cause: "size-mismatch" });
    expect([...found.keys()].sort()).toEqual([digest(multi), digest(amd64), layer].sort());
  });

  test("finds no copy that is damaged as well", async () => {
    const [store, cache] = [await newStore(), await newStore()];
    for (const { blobData } of [store, cache]) await truncate(blobData(layer), 3);
    expect([...(await read(store, { copiesIn: cache })).found]).toEqual([]);
  });

  test("asks for no copies of what no tag leads to", async () => {
    const [store, cache] = [await newStore(), await newStore()];
    await rm(dirname(dirname(store.tagLink("app", "1"))), { recursive: true });
    await gone(store.blobData(layer));
    expect([...(await read(store, { copiesIn: cache })).found]).toEqual([]);
  });

  test("takes from a lost tag's history the only manifest that it ever led to, also one that is not linked", async () => {
    const store = await newStore();
    await writeFile(store.tagLink("app", "1"), "");
    await gone(store.revisionLink("app", digest(multi)));
    const { repository } = await read(store, { lostTags: ["1"] });
    expect(rootsOf(repository)).toMatchObject([
      { tag: "1", digest: digest(multi), fault: { cause: "link-invalid" } },
    ]);
    await store.put(store.tagHistoryLink("app", "1", digest(other)), digest(other));
    const { repository: doubtful } = await read(store, { lostTags: ["1"] });
    expect(rootsOf(doubtful)).toMatchObject([{ tag: "1", digest: null }]);
  });

  test("reports a blob that could not be read", async () => {
    const store = await newStore();
    await gone(store.layerLink("app", config));
    await rm(store.blobData(layer));
    await store.put(`${store.blobData(layer)}/directory`, "");
    const { unread } = await read(store);
    expect(unread).toMatchObject([{ location: store.blobData(layer), reason: "not a regular file" }]);
  });
});

describe("what was pushed under SHA-512", () => {
  const long = layerOf("long", "oci", "sha512");
  const kept = digestOf(long.bytes);
  const mixed = imageOf("linux/amd64", [long]);
  const altered = new Set([digest(long)]);

  async function readWith(damage: (store: Store) => Promise<unknown>) {
    const store = await newStore();
    await store.push("app", mixed, "mixed");
    await damage(store);
    const { repository } = await read(store, { altered });
    return {
      canonical: repository.canonical.get(digest(long)),
      changes: planRepair([repository], new Map(), { tagLinks: false, instance: "" }).steps.flatMap((step) =>
        step.changes.map(({ kind, target }) => [kind, target]),
      ),
    };
  }

  test.each<[string, (store: Store) => Promise<unknown>]>([
    ["is missing", (store) => gone(store.layerLink("app", digest(long)))],
    ["leads to other content", (store) => writeFile(store.layerLink("app", digest(long)), layer)],
    ["is empty", (store) => writeFile(store.layerLink("app", digest(long)), "")],
  ])("is found by its bytes where its link %s", async (_, damage) => {
    expect(await readWith(damage)).toEqual({ canonical: kept, changes: [["layer-link", kept]] });
  });

  test("is in the store no more where no link of the repository leads to its bytes", async () => {
    const damage = async (store: Store) => {
      for (const link of [digest(long), kept]) await gone(store.layerLink("app", link));
    };
    expect(await readWith(damage)).toEqual({ canonical: null, changes: [] });
  });

  test("is not looked for where its content is damaged, which a copy may replace", async () => {
    expect(await readWith((store) => flipByte(store.blobData(kept)))).toEqual({
      canonical: undefined,
      changes: [],
    });
  });
});

test("a blob is read to its end once, however often it is asked for, and again when its file has changed", async () => {
  const store = storeAt(await temporaryDirectory());
  const blob = await store.blob("some content");
  const disk = diskSource("private", store.directory);
  let reads = 0;
  const verified = createVerifiedBlobs(
    {
      ...disk,
      verifiedBlob: (...question) => {
        reads += 1;
        return disk.verifiedBlob(...question);
      },
    },
    unlimitedPace,
  );
  for (let repository = 0; repository < 200; repository++) await verified(blob);
  expect([reads, await verified(blob)]).toEqual([1, { state: "present", sizeBytes: 12, isAltered: false }]);
  await writeFile(store.blobData(blob), "some  other!");
  expect([await verified(blob), reads]).toMatchObject([{ isAltered: true }, 2]);
  await rm(store.blobData(blob));
  expect([await verified(blob), reads]).toEqual([{ state: "missing" }, 2]);
});
