import { expect, test } from "vitest";
import type { Digest } from "../../../../scripts/registry/digest.ts";
import { scanRegistry } from "../../../../scripts/scan/scan-registry.ts";
import type { BlobState, ManifestState, StoreSource } from "../../../../scripts/source/source.ts";
import { child, d, linked, parsed } from "../../../support/facts.ts";

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** A store that tells something else each time it is asked; the last answer stays. */
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

test("a child that is linked by the second look was just being pushed", async () => {
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

test("what is still bad at the second look is reported, and nothing that only then appeared", async () => {
  const layerLinks = inTurn(linked(d("a")), linked(d("a"), d("c")));
  const damaged = source({ layerLinks: () => each(layerLinks()) });
  const { findings, summary } = await scanRegistry(damaged, "authoritative", () => {});
  expect(findings).toMatchObject([{ kind: "layer-link", cause: "blob-missing", digest: d("a") }]);
  expect(summary).toMatchObject({ repositories: 1, layerLinks: 1 });
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
