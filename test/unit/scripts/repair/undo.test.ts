import { appendFile, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import type { RepairUndoReport } from "../../../../contract/repair-undo-report.ts";
import { type Digest, digestOf } from "../../../../scripts/registry/digest.ts";
import { mediaTypes } from "../../../../scripts/registry/media-types.ts";
import { findNeededIn } from "../../../../scripts/repair/find-needed.ts";
import { diskSource } from "../../../../scripts/source/disk/registry.ts";
import { repair } from "../../../support/commands.ts";
import { regwarden, temporaryDirectory, withReport } from "../../../support/program.ts";
import { writeDamagedStore } from "../../../support/store/sample-stores.ts";
import { privateStore, type Store, storeAt } from "../../../support/store/store.ts";
import { treeOf } from "../../../support/store/tree.ts";

/** `app:1` of the private registry, repaired: its configuration, its layer and the link of its child are back. */
async function repaired() {
  const root = await temporaryDirectory();
  const image = await writeDamagedStore(root);
  const store = storeAt(join(root, "private"));
  const damaged = await treeOf(store.directory);
  const { exitCode, report } = await repair(root, "--apply");
  expect(exitCode).toBe(0);
  return { root, store, damaged, journal: report.journal ?? "", ...image };
}

const layerText = "the only layer";

/** Another image, with the layer of `app:1`, whose link the repository has already. */
async function pushWithLayer(store: Store, layer: Digest, tag = "2"): Promise<Digest> {
  const config = await store.layer("app", `{"tag":"${tag}"}`);
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { digest: config, size: 11 },
    layers: [{ digest: layer, size: layerText.length }],
  };
  return store.manifest("app", document, tag);
}

async function undo(root: string, journal: string, ...flags: string[]) {
  const outcome = withReport<RepairUndoReport>(
    await regwarden(["repair", root, "--undo", journal, "--json", ...flags]),
  );
  expect(outcome.stderr).toBe("");
  return outcome;
}

describe("an undo", () => {
  test("prints one document with every key, planned and applied, and one when nothing is left to do", async () => {
    const { root, store, damaged, journal } = await repaired();

    const planned = await undo(root, journal);
    const applied = await undo(root, journal, "--apply");
    const again = await undo(root, journal, "--apply");

    const keys = ["schema", "finishedAt", "durationSeconds", "journal", "steps", "outcome"];
    for (const { report } of [planned, applied, again]) {
      expect(Object.keys(report)).toEqual(keys);
      expect(report).toMatchObject({ schema: "regwarden/repair-undo/v1", journal });
    }
    expect([planned.exitCode, applied.exitCode, again.exitCode]).toEqual([1, 0, 0]);
    expect([planned.report.outcome, again.report]).toMatchObject([null, { steps: [], outcome: null }]);
    expect(applied.report.outcome).toMatchObject({
      done: planned.report.steps.length,
      exceptions: [],
      fresh: [],
      journal: join(journal, "undo-1"),
    });
    expect(applied.report.outcome?.left.length).toBeGreaterThan(0);
    expect(await treeOf(store.directory)).toEqual(damaged);
  });

  test("puts back no damage under an image that was pushed since", async () => {
    const { root, store, layer, journal } = await repaired();
    await pushWithLayer(store, layer);

    const { exitCode, report } = await undo(root, journal, "--apply");

    expect(exitCode).toBe(1);
    const path = relative(root, store.blobData(layer));
    expect(report.steps).toContainEqual({ does: "keep", path, reason: "app:2, pushed since, needs it" });
    expect(await readFile(store.blobData(layer), "utf8")).toBe(layerText);
  });

  test("puts forward again what an image needs whose links are older, when a scan finds it broken", async () => {
    const { root, store, config, journal } = await repaired();
    // As a tool does that copies an image into the store with its times.
    const old = new Date(Date.now() - 86_400_000);
    const image = await store.manifest(
      "other",
      {
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: { digest: config, size: 14 },
        layers: [],
      },
      "1",
    );
    await store.put(store.layerLink("other", config), config);
    for (const path of [
      store.tagLink("other", "1"),
      store.revisionLink("other", image),
      store.layerLink("other", config),
    ])
      await utimes(path, old, old);

    const { exitCode, report } = await undo(root, journal, "--apply");

    expect(exitCode).toBe(1);
    const paths = report.outcome?.exceptions.map(({ does, path, reason }) => [does, path, reason]);
    expect(paths).toContainEqual([
      "put-forward",
      relative(root, store.blobData(config)),
      "config, blob-missing is new without it",
    ]);
    expect(report.outcome?.fresh).toEqual([]);
    expect(await readFile(store.blobData(config), "utf8")).toBe('{"os":"linux"}');
  });

  test("ends one that was killed before it could put forward what it should not have taken", async () => {
    const { root, store, layer, journal } = await repaired();
    const first = await undo(root, journal, "--apply");
    const own = join(first.report.outcome?.journal ?? "", "journal.jsonl");
    await writeFile(own, (await readFile(own, "utf8")).replace(/.*"did":"end".*\n$/, ""));
    await pushWithLayer(store, layer);

    const { exitCode, report } = await undo(root, journal, "--apply");

    expect(exitCode).toBe(1);
    expect(report.steps).toEqual([]);
    expect(report.outcome?.exceptions).toEqual([
      {
        does: "put-forward",
        path: relative(root, store.blobData(layer)),
        reason: "app:2, pushed since, needs it",
      },
    ]);
    expect(await readFile(store.blobData(layer), "utf8")).toBe(layerText);
  });

  test("changes nothing when it could not be checked what is needed", async () => {
    const { root, store, journal } = await repaired();
    const before = await treeOf(store.directory);
    const link = store.tagLink("app", "locked");
    await store.put(join(link, "is-a-directory"), "");

    const { exitCode, stderr } = await regwarden(["repair", root, "--undo", journal, "--apply"]);

    expect([exitCode, stderr]).toEqual([3, expect.stringContaining(`${link} could not be read (EISDIR)`)]);
    await rm(dirname(dirname(link)), { recursive: true });
    expect(await treeOf(store.directory)).toEqual(before);
  });

  test("of a journal that was cut off goes as far as it goes", async () => {
    const { root, store, damaged, journal } = await repaired();
    await appendFile(join(journal, "journal.jsonl"), '{"did":"created","pa');
    expect((await undo(root, journal, "--apply")).exitCode).toBe(0);
    expect(await treeOf(store.directory)).toEqual(damaged);
  });
});

describe("what is needed by what was pushed since", () => {
  const since = Date.now() + 60_000;
  const later = new Date(since + 1000);

  /** Marks links as written after the run. */
  async function push(...links: readonly string[]): Promise<void> {
    for (const link of links) await utimes(link, later, later);
  }

  async function neededOf(store: Store, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const source = diskSource("private", store.directory);
    return findNeededIn([source])({ paths: new Set(paths), since, isOwn: async () => false });
  }

  test("is everything below an index, at any depth, and what a signature is about", async () => {
    const { store } = await privateStore();
    const [config, layer] = [await store.layer("app", "{}"), await store.layer("app", layerText)];
    const document = { schemaVersion: 2, config: { digest: config }, layers: [{ digest: layer }] };
    const image = await store.manifest("app", document);
    const inner = await store.manifest("app", { schemaVersion: 2, manifests: [{ digest: image }] });
    const outer = await store.manifest("app", { schemaVersion: 2, manifests: [{ digest: inner }] }, "1");
    const subject = await store.manifest("app", { ...document, annotations: { a: "b" } });
    const signature = await store.manifest("app", { ...document, subject: { digest: subject } });
    const unrelated = await store.layer("app", "unrelated");
    await push(store.tagLink("app", "1"), store.revisionLink("app", signature));

    const all = [image, inner, outer, subject];
    const needed = [
      ...all.map((digest) => store.revisionLink("app", digest)),
      ...[...all, config, layer].map(store.blobData),
      ...[config, layer].map((digest) => store.layerLink("app", digest)),
    ];
    const found = await neededOf(store, [
      ...needed,
      store.layerLink("app", unrelated),
      store.blobData(unrelated),
      store.revisionLink("other", image),
    ]);

    expect([...found.keys()].sort()).toEqual(needed.sort());
    expect(found.get(store.blobData(layer))).toBe("app:1, pushed since, needs it");
    expect(found.get(store.revisionLink("app", subject))).toMatch(/^app@sha256:\w{12}, pushed since/);
  });

  test("is what an index names that are blobs, and what stands elsewhere in a manifest", async () => {
    const { store } = await privateStore();
    const [cached, elsewhere] = [await store.layer("app", "cached"), await store.layer("app", "elsewhere")];
    const entry = { mediaType: mediaTypes.ociLayer, digest: cached };
    const document = { schemaVersion: 2, manifests: [entry], later: [{ digest: elsewhere, size: 9 }] };
    await push(store.revisionLink("app", await store.manifest("app", document)));
    const paths = [cached, elsewhere].map(store.blobData);
    expect([...(await neededOf(store, paths)).keys()].sort()).toEqual(paths.sort());
  });

  test("is a directory with anything in it that is", async () => {
    const { store } = await privateStore();
    const layer = await store.layer("app", layerText);
    await push(store.layerLink("app", layer));
    const blob = dirname(store.blobData(layer));
    const found = await neededOf(store, [blob, dirname(dirname(store.layerLink("app", layer)))]);
    expect([...found.keys()]).toHaveLength(2);
    expect(found.get(blob)).toMatch(/^app was given a link to sha256:\w{12} since$/);
  });

  test("is the content behind a link of another algorithm", async () => {
    const { store } = await privateStore();
    const content = await store.blob(layerText);
    const alias = `sha512:${"a".repeat(128)}` as Digest;
    await store.put(store.layerLink("app", alias), content);
    const config = await store.layer("app", "{}");
    const document = { schemaVersion: 2, config: { digest: config }, layers: [{ digest: alias }] };
    await store.manifest("app", document, "1");
    await push(store.tagLink("app", "1"));
    const paths = [store.layerLink("app", alias), store.blobData(content)];
    expect([...(await neededOf(store, paths)).keys()].sort()).toEqual(paths.sort());
  });

  test("is nothing below what was there before", async () => {
    const { store } = await privateStore();
    const layer = await store.layer("app", layerText);
    await store.manifest("app", { schemaVersion: 2, layers: [{ digest: layer }] }, "1");
    expect((await neededOf(store, [store.blobData(layer)])).size).toBe(0);
  });

  test("is unknown where a link cannot be read", async () => {
    const { store } = await privateStore();
    const layer = await store.layer("app", layerText);
    const link = store.layerLink("app", digestOf(Buffer.from("other")));
    await store.put(join(link, "is-a-directory"), "");
    await expect(neededOf(store, [store.blobData(layer)])).rejects.toMatchObject({
      code: "E_STORE_UNREADABLE",
      message: expect.stringContaining(link),
    });
  });
});
