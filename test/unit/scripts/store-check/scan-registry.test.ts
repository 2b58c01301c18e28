import { describe, expect, test } from "vitest";
import type { Digest } from "../../../../scripts/registry/digest.ts";
import type { BlobState, LinkFact, ManifestState, StoreSource } from "../../../../scripts/source/source.ts";
import { scanRegistry } from "../../../../scripts/store-check/scan-registry.ts";
import { child, d, linked, parsed } from "../../../support/store/facts.ts";

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** A store that answers something else each time it is asked; the last answer stays. */
function inTurn<T>(...answers: readonly [T, ...T[]]): () => T {
  let turn = 0;
  return () => answers[Math.min(turn++, answers.length - 1)] ?? answers[0];
}

function source(own: Partial<StoreSource>): StoreSource {
  return {
    name: "private",
    repositories: () => each([{ state: "found", name: "app" } as const]),
    tags: () => each([]),
    revisions: () => each([]),
    layerLinks: () => each([]),
    tagHistory: () => each([]),
    content: () => each([]),
    blobs: () => each([]),
    uploads: () => each([]),
    verifiedBlob: async () => ({ state: "missing" }),
    manifest: async () => ({ state: "missing" }),
    blob: async () => ({ state: "missing" }),
    ...own,
  };
}

const index = parsed({
  type: "index",
  children: [child(d("b"))],
});

test("a blob that a push brought after the walk is not missing", async () => {
  const present: BlobState = { state: "present", sizeBytes: 1 };
  const pushed = source({ layerLinks: () => each(linked(d("a"))), blob: async () => present });
  expect((await scanRegistry(pushed, "authoritative", () => {})).findings).toEqual([]);
});

test("a child that is linked at the second read was just being pushed", async () => {
  const revisions = inTurn(linked(d("a")), linked(d("a"), d("b")));
  const manifest = async (_: string, digest: Digest): Promise<ManifestState> =>
    digest === d("a") ? index : parsed({ type: "image" });
  const pushed = source({ revisions: () => each(revisions()), manifest });
  expect((await scanRegistry(pushed, "authoritative", () => {})).findings).toEqual([]);
});

test("a manifest that was being written is read again", async () => {
  const states = inTurn<ManifestState>({ state: "empty" }, parsed({ type: "image" }));
  const written = source({ revisions: () => each(linked(d("a"))), manifest: async () => states() });
  expect((await scanRegistry(written, "authoritative", () => {})).findings).toEqual([]);
});

test("what is still bad at the second read is reported, and nothing that only then appeared", async () => {
  const layerLinks = inTurn(linked(d("a")), linked(d("a"), d("c")));
  const damaged = source({ layerLinks: () => each(layerLinks()) });
  const { findings, summary } = await scanRegistry(damaged, "authoritative", () => {});
  expect(findings).toMatchObject([{ kind: "layer-link", cause: "blob-missing", digest: d("a") }]);
  expect(summary).toMatchObject({ repositories: 1, layerLinks: 1 });
});

describe("damage that changes between the two reads is reported as it is at the second", () => {
  const tag = (link: LinkFact["link"]): LinkFact[] => [{ name: "1", link }];
  const toIndex = tag({ state: "linked", digest: d("a") });
  const missing: ManifestState = { state: "missing" };

  test("the cause of the same digest", async () => {
    const links = inTurn<LinkFact[]>([], linked(d("b")));
    const manifest = async (_: string, digest: Digest): Promise<ManifestState> =>
      digest === d("a") ? index : missing;
    const changing = source({ revisions: () => each([...linked(d("a")), ...links()]), manifest });
    const { findings } = await scanRegistry(changing, "authoritative", () => {});
    expect(findings).toMatchObject([{ cause: "blob-missing", digest: d("b") }]);
  });

  test("a child's index that is missing by then, too", async () => {
    const indexes = inTurn<ManifestState>(index, missing);
    const manifest = async (_: string, digest: Digest): Promise<ManifestState> =>
      digest === d("a") ? indexes() : missing;
    const tagged = source({ tags: () => each(toIndex), revisions: () => each(linked(d("a"))), manifest });
    const { findings } = await scanRegistry(tagged, "authoritative", () => {});
    expect(findings).toMatchObject([{ cause: "blob-missing", digest: d("a"), tags: ["1"] }]);
  });

  test("also of a digest without a tag", async () => {
    const indexes = inTurn<ManifestState>(index, missing);
    const manifest = async (_: string, digest: Digest): Promise<ManifestState> =>
      digest === d("a") ? indexes() : missing;
    const untagged = source({ revisions: () => each(linked(d("a"))), manifest });
    const { findings } = await scanRegistry(untagged, "authoritative", () => {});
    expect(findings).toMatchObject([{ cause: "blob-missing", digest: d("a"), tags: [] }]);
  });

  test("a tag that leads to an unlinked manifest once it can be read", async () => {
    const empty = tag({ state: "invalid", location: "/link", reason: "is empty" });
    const tags = inTurn(empty, toIndex);
    const moved = source({ tags: () => each(tags()), manifest: async () => parsed({ type: "image" }) });
    const { findings } = await scanRegistry(moved, "authoritative", () => {});
    expect(findings).toMatchObject([{ cause: "link-missing", digest: d("a"), tags: ["1"] }]);
  });
});

test("an image that was pushed to a damaged tag after the walk is not missing its blobs", async () => {
  const tags = inTurn<LinkFact[]>(
    [{ name: "1", link: { state: "invalid", location: "/link", reason: "is empty" } }],
    [{ name: "1", link: { state: "linked", digest: d("a") } }],
  );
  const image = parsed({ type: "image", blobs: [{ digest: d("c"), sizeBytes: 1, role: "layer" }] });
  const pushed = source({
    tags: () => each(tags()),
    revisions: () => each(linked(d("a"))),
    layerLinks: () => each(linked(d("c"))),
    manifest: async () => image,
    blob: async () => ({ state: "present", sizeBytes: 1 }),
  });
  expect((await scanRegistry(pushed, "authoritative", () => {})).findings).toEqual([]);
});

test("a manifest that many repositories share is read once", async () => {
  let reads = 0;
  const manifest = async (): Promise<ManifestState> => {
    reads += 1;
    return parsed({ type: "image" });
  };
  const names = Array.from({ length: 20 }, (_, n) => ({ state: "found", name: `app${n}` }) as const);
  const shared = source({ repositories: () => each(names), revisions: () => each(linked(d("a"))), manifest });
  expect((await scanRegistry(shared, "authoritative", () => {})).summary).toMatchObject({ manifests: 20 });
  expect(reads).toBe(1);
});
