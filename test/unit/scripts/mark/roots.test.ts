import { mkdir, rm, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Digest } from "../../../../scripts/registry/digest.ts";
import { layersPath, linkDirectory, tagsPath, uploadsPath } from "../../../../scripts/registry/paths.ts";
import { buildCache } from "../../../support/images/artifacts.ts";
import {
  attestation,
  type Content,
  digest,
  emptyLayer,
  foreignLayer,
  image,
  imageOf,
  index,
  layer,
  signature,
  withParts,
} from "../../../support/images/oci-content.ts";
import { age, day, hour, markStore, namesOf } from "../../../support/store/marks.ts";
import { privateStore, type Store } from "../../../support/store/store.ts";

const amd64 = "linux/amd64";

/** A store with an image that nothing needs, so that each test sees that the mark removes at all. */
async function storeWithDead() {
  const { store } = await privateStore();
  const dead = image("dead", amd64);
  await store.push("dead", dead);
  const expected = () => expectDead(store, dead);
  return { store, dead, expected };
}

/** Exactly the image of {@link storeWithDead} goes. */
async function expectDead(store: Store, dead: Content): Promise<void> {
  const mark = await markStore(store.directory);
  expect(mark.damage).toEqual([]);
  const gone = new Set<string>(mark.dead.map((thing) => thing.digest));
  expect([...gone].sort()).toEqual(withParts(dead).map(digest).sort());
}

describe("a mark keeps", () => {
  test("nested indexes, attestations, and configurations beside children", async () => {
    const { store, expected } = await storeWithDead();
    const inner = image("a", "linux/arm64");
    await store.push("app", index([index([inner, attestation(inner)]), image("b", amd64)]), "1");
    await expected();
  });

  test("the layers of BuildKit's caches, which are indexes", async () => {
    const { store, expected } = await storeWithDead();
    await store.push("app", buildCache("cache"), "cache");
    await expected();
  });

  test("what is foreign, when the registry has it", async () => {
    const { store, expected } = await storeWithDead();
    const foreign = foreignLayer("base");
    await store.push("app", imageOf("windows/amd64", [foreign]), "1");
    await store.layer("app", foreign.bytes);
    await expected();
  });

  test("the blob of no bytes", async () => {
    const { store, expected } = await storeWithDead();
    await store.push("app", imageOf(amd64, [emptyLayer()]), "1");
    await expected();
  });

  test("signatures without a tag, and signatures of these", async () => {
    const { store, expected } = await storeWithDead();
    const app = image("a", amd64);
    await store.push("app", app, "1");
    const first = signature(app);
    await store.push("app", first);
    await store.push("app", signature(first));
    await expected();
  });

  test("the subject of what a tag leads to", async () => {
    const { store, expected } = await storeWithDead();
    const app = image("a", amd64);
    await store.push("app", app);
    await store.push("app", signature(app), "sha256-x.sig");
    await expected();
  });

  test("a signature whose image was never pushed", async () => {
    const { store, expected } = await storeWithDead();
    await store.push("app", signature(image("elsewhere", amd64)), "sig");
    await expected();
  });

  test("what was pushed under sha512, by the content of its link", async () => {
    const { store, expected } = await storeWithDead();
    await store.push("app", imageOf(amd64, [layer("a", "oci", "sha512")], { configUnder: "sha512" }), "1");
    await expected();
  });

  test("a blob that another repository needs, and removes the link of the one that does not", async () => {
    const { store } = await storeWithDead();
    const shared = layer("shared");
    await store.push("one", imageOf(amd64, [shared]), "1");
    await store.push("two", shared);
    const mark = await markStore(store.directory);
    expect(namesOf(mark.dead)).toContain(`layer-link two ${digest(shared)}`);
    expect(namesOf(mark.dead)).not.toContain(`blob ${digest(shared)}`);
    expect(mark.isReached(digest(shared))).toBe(true);
  });

  test("repositories inside of repositories", async () => {
    const { store, expected } = await storeWithDead();
    await store.push("a", image("a", amd64), "1");
    await store.push("a/b", image("b", amd64), "1");
    await store.push("a/b/c", image("c", amd64), "1");
    await expected();
  });

  test("manifests in use, without a tag", async () => {
    const { store } = await storeWithDead();
    const used = image("used", amd64);
    await store.push("app", used);
    const { dead } = await markStore(store.directory, { inUse: new Set([digest(used)]) });
    expect(namesOf(dead).filter((name) => name.includes(" app "))).toEqual([]);
  });

  test("unfinished uploads, however old", async () => {
    const { store, expected } = await storeWithDead();
    await store.put(join(uploadsPath(store.directory, "app"), "1-2-3", "data"), "half");
    await age(store.directory, 300 * day);
    await expected();
  });
});

describe("a digest that a tag pointed to is kept", () => {
  /** A tag that pointed to the first image for a week, then to the second. */
  async function overwritten(secondAgo: number) {
    const { store } = await privateStore();
    const [first, second] = [image("first", amd64), image("second", amd64)];
    await store.push("app", first, "1");
    await age(store.directory, secondAgo + 7 * day);
    await store.push("app", second, "1");
    const when = new Date(Date.now() - secondAgo);
    for (const path of [
      store.tagLink("app", "1"),
      store.tagHistoryLink("app", "1", digest(second)),
      store.revisionLink("app", digest(second)),
    ])
      await utimes(path, when, when);
    return { store, first };
  }

  test("when it did so within the given time, even if it was pushed before", async () => {
    const { store } = await overwritten(2 * day);
    expect((await markStore(store.directory, { overwrittenMs: 3 * day })).dead).toEqual([]);
  });

  test("but not when that is longer ago", async () => {
    const { store, first } = await overwritten(2 * day);
    const { dead } = await markStore(store.directory, { overwrittenMs: day });
    expect(new Set(dead.map((thing) => thing.digest))).toEqual(new Set(withParts(first).map(digest)));
  });

  test("as long as the rule of its repository says, which goes before", async () => {
    const { store, first } = await overwritten(2 * day);
    await store.push("app", image("third", amd64), "1");
    const deadWith = async (overwritten: object, overwrittenMs = 9 * day, repositories = ["a*"]) => {
      const retention = [{ repositories, keep: { newest: 1 }, overwritten }];
      const { dead } = await markStore(store.directory, { overwrittenMs, retention });
      return new Set(dead.map((thing) => thing.digest));
    };
    const all = new Set(withParts(first).map(digest));
    expect(await deadWith({ keep: 2 }, 0)).toEqual(new Set());
    expect(await deadWith({ keep: 1 })).toEqual(all);
    expect(await deadWith({ within: "3d" }, 0)).toEqual(new Set());
    expect(await deadWith({ within: "1d" })).toEqual(all);
    expect(await deadWith({ keep: 2, within: "1d" })).toEqual(all);
    expect(await deadWith({ keep: 1, within: "3d" })).toEqual(all);
    expect(await deadWith({ keep: 1 }, 9 * day, ["b*"])).toEqual(new Set());
  });

  test("and of a tag without a link all that it ever pointed to, and what else its repository has", async () => {
    const { store } = await overwritten(2 * day);
    await rm(dirname(store.tagLink("app", "1")), { recursive: true });
    const mark = await markStore(store.directory);
    expect(mark.dead).toEqual([]);
    expect(mark.damage).toMatchObject([{ repository: "app", reason: "is missing", keeps: "repository" }]);
  });

  test("unless its manifest was deleted since", async () => {
    const { store, first } = await overwritten(2 * day);
    await rm(dirname(store.revisionLink("app", digest(first))), { recursive: true });
    const mark = await markStore(store.directory, { overwrittenMs: 3 * day });
    expect(mark.damage).toEqual([]);
    expect(namesOf(mark.dead)).toContain(`blob ${digest(first)}`);
  });
});

const unknown: Digest = `sha256:${"7".repeat(64)}`;

describe("damage is reported and never widens what is removed:", () => {
  /** What is dead in the store as it is, and after a change of it. */
  async function afterDamage(damage: (store: Store, kept: Content) => Promise<unknown>) {
    const { store, dead } = await storeWithDead();
    const kept = index([image("kept", amd64), image("other", "linux/arm64")]);
    await store.push("app", kept, "1");
    await store.push("app", image("untagged", amd64));
    const before = new Set(namesOf((await markStore(store.directory)).dead));
    await damage(store, kept);
    const mark = await markStore(store.directory);
    const names = namesOf(mark.dead);
    expect(names.filter((name) => !before.has(name))).toEqual([]);
    const deadLink = `revision-link dead ${digest(dead)}`;
    return { mark, names, deadLink, sweepsBlobs: names.some((name) => name.startsWith("blob")) };
  }

  test.each<[string, (store: Store, kept: Content) => Promise<unknown>, string]>([
    ["a manifest that is no JSON", (store) => store.manifest("app", "{", "2"), "is not JSON"],
    ["one that no tag leads to", (store) => store.manifest("app", "{"), "is not JSON"],
    ["one of no bytes", (store, kept) => store.put(store.blobData(digest(kept)), ""), "empty file"],
    ["one of other bytes", (store, kept) => store.put(store.blobData(digest(kept)), "{}"), "other bytes"],
    [
      "one that is missing",
      (store, kept) => rm(dirname(store.blobData(digest(kept))), { recursive: true }),
      "missing",
    ],
    [
      "a child that is missing",
      (store, kept) => rm(dirname(store.blobData(digest(kept.parts[0] ?? kept))), { recursive: true }),
      "missing",
    ],
    ["a manifest that cannot be read", replaceByDirectory, "cannot be read"],
    [
      "a list of tags that cannot be read",
      async (store) => {
        await rm(tagsPath(store.directory, "app"), { recursive: true });
        await store.put(tagsPath(store.directory, "app"), "a file");
      },
      "cannot be read",
    ],
    [
      "a list of layers that cannot be read",
      async (store) => {
        await rm(layersPath(store.directory, "app"), { recursive: true });
        await store.put(layersPath(store.directory, "app"), "a file");
      },
      "cannot be read",
    ],
    [
      "a tag's link that cannot be read",
      async (store) => {
        await rm(store.tagLink("app", "1"));
        await mkdir(store.tagLink("app", "1"));
      },
      "cannot be read",
    ],
  ])("%s keeps its repository and all blobs", async (_, damage, reason) => {
    const { mark, names, deadLink, sweepsBlobs } = await afterDamage(damage);
    expect(mark.damage).toContainEqual(
      expect.objectContaining({ keeps: "blobs", reason: expect.stringContaining(reason) }),
    );
    expect(sweepsBlobs).toBe(false);
    expect(names.filter((name) => name.includes(" app "))).toEqual([]);
    expect(names).toContain(deadLink);
  });

  test.each<[string, (store: Store) => Promise<unknown>]>([
    ["an empty tag's link", (store) => store.put(store.tagLink("app", "1"), "")],
    ["a tag under no tag's name", (store) => store.put(store.tagLink("app", "-x"), unknown)],
    [
      "a layer link of an unknown algorithm",
      (store) => store.put(join(layersPath(store.directory, "app"), "blake3", "ab", "link"), unknown),
    ],
  ])("%s keeps its repository", async (_, damage) => {
    const { mark, names, deadLink, sweepsBlobs } = await afterDamage(damage);
    expect(mark.damage).toMatchObject([{ repository: "app", keeps: "repository" }]);
    expect(names.filter((name) => name.includes(" app "))).toEqual([]);
    expect(names).toContain(deadLink);
    expect(sweepsBlobs).toBe(true);
  });

  test.each<[string, (store: Store) => Promise<unknown>]>([
    ["a layer", (store) => store.put(store.layerLink("app", unknown), "")],
    ["a manifest", (store) => store.put(store.revisionLink("app", unknown), "sha256:short")],
  ])("a torn link of %s is kept itself", async (_, damage) => {
    const { mark, names, sweepsBlobs } = await afterDamage(damage);
    expect(mark.damage.map(({ keeps }) => keeps)).toContain("link");
    expect(names.filter((name) => name.includes(unknown))).toEqual([]);
    expect(sweepsBlobs).toBe(true);
  });

  test("a link of sha512 that is torn hides which blob is needed", async () => {
    const { store } = await storeWithDead();
    const part = layer("a", "oci", "sha512");
    await store.push("app", imageOf(amd64, [part]), "1");
    await rm(linkDirectory(layersPath(store.directory, "app"), digest(part)), { recursive: true });
    const mark = await markStore(store.directory);
    expect(mark.damage).toMatchObject([{ place: digest(part), keeps: "blobs" }]);
    expect(namesOf(mark.dead).some((name) => name.startsWith("blob"))).toBe(false);
  });
});

/** A directory in the place of a file cannot be read by any account. */
async function replaceByDirectory(store: Store, kept: Content): Promise<void> {
  await rm(store.blobData(digest(kept)));
  await mkdir(store.blobData(digest(kept)));
}

describe("what is spared keeps what it needs:", () => {
  test("a young layer link its old blob", async () => {
    const { store } = await privateStore();
    const part = layer("mounted");
    await store.push("one", part);
    await age(store.directory, day);
    await store.put(store.layerLink("two", digest(part)), digest(part));
    const { dead } = await markStore(store.directory, { graceMs: hour });
    expect(namesOf(dead)).toEqual([`layer-link one ${digest(part)}`]);
  });

  test("a blob whose directory is young is, as an upload may take longer than the grace", async () => {
    const { store } = await privateStore();
    const slow = await store.blob("uploaded for hours");
    const old = new Date(Date.now() - day);
    await utimes(store.blobData(slow), old, old);
    expect((await markStore(store.directory, { graceMs: hour })).dead).toEqual([]);
  });

  test("a manifest that is not dead for long enough its layers that are", async () => {
    const { store } = await privateStore();
    const content = image("a", amd64);
    await store.push("app", content);
    await age(store.directory, 9 * day);
    const old = Date.now() - 2 * day;
    const ages = {
      links: () => new Map(content.parts.map((part) => [`layer-link ${digest(part)}`, old])),
      blob: () => old,
    };
    const mark = await markStore(store.directory, { deadForMs: day, ages });
    expect(mark.dead).toEqual([]);
    expect(mark.unreached).toHaveLength(6);
    const all = { links: () => new Map(mark.unreached.map((one) => [`${one.kind} ${one.digest}`, old])) };
    expect(
      (await markStore(store.directory, { deadForMs: day, ages: { ...ages, ...all } })).dead,
    ).toHaveLength(6);
  });
});
