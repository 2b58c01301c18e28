import { writeFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mediaTypes } from "../../../../scripts/registry/media-types.ts";
import {
  blobDataPath,
  blobDirectory,
  linkDirectory,
  tagLinkPath,
  tagsPath,
} from "../../../../scripts/registry/paths.ts";
import { runRepair } from "../../../../scripts/repair/main.ts";
import { createEffects } from "../../../../scripts/store-change/effects.ts";
import { repair } from "../../../support/commands.ts";
import { regwarden, temporaryDirectory } from "../../../support/program.ts";
import {
  rootWithLostChild,
  writeDamagedStore,
  writeHealthyStore,
} from "../../../support/store/sample-stores.ts";
import { privateStore, storeAt } from "../../../support/store/store.ts";
import { treeOf } from "../../../support/store/tree.ts";

describe("the plan", () => {
  test("is empty, with exit code 0, for a store that lacks nothing", async () => {
    const { root, store } = await privateStore();
    await writeHealthyStore(store.directory);
    const { exitCode, stdout } = await regwarden(["repair", root]);
    expect([exitCode, stdout]).toEqual([0, "No image lacks anything.\n"]);
  });

  test("says for each tag what is lost, what will be done, and how to do it", async () => {
    const root = await temporaryDirectory();
    const { manifest, layer, config } = await writeDamagedStore(root);

    const { exitCode, stdout } = await regwarden(["repair", root]);

    expect(exitCode).toBe(1);
    const lines = stdout.split("\n").map((line) => line.trim());
    expect(lines[1]).toMatch(/^private {3}app {9}1 .* 4 {8}recopy {2}complete$/);
    const short = (digest: string) => digest.slice(0, 19);
    expect(lines).toContain(`- revision-link ${short(manifest)} (linux/amd64) is missing: relink`);
    expect(lines).toContain(`- config ${short(config)} (linux/amd64) is missing: recopy`);
    expect(lines).toContain(
      `- copy ${short(layer)}, 14 bytes, from cache, in place of what has 5 bytes instead of 14`,
    );
    expect(lines).toContain("Nothing was changed. To do this, the same command with --apply.");
  });

  test("leaves an index of indexes unlinked as long as anything below it is lost, but brings back what is whole", async () => {
    const { root, store } = await privateStore();
    const { index, manifest } = await writeHealthyStore(store.directory);
    const gone = await store.manifest("app", { schemaVersion: 2, manifests: [] });
    const list = (...digests: string[]) => ({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: digests.map((digest) => ({ digest })),
    });
    const inner = await store.manifest("app", list(index, gone));
    await store.manifest("app", list(inner), "outer");
    for (const lost of [manifest, inner, gone]) await rm(store.revisionLink("app", lost));
    await rm(blobDirectory(store.directory, gone), { recursive: true });

    const { report } = await repair(root);

    expect(report.changes.map(({ kind, digest }) => [kind, digest])).toEqual([["revision-link", manifest]]);
    expect(report.images).toMatchObject([
      { tag: "1", remedy: "relink", completeAfterwards: true },
      { tag: "outer", remedy: "rebuild", completeAfterwards: false, changes: [0] },
    ]);
  });

  test("trusts no blob by its length: where one part is lost, the others are hashed", async () => {
    const { root, store, layer, manifest } = await rootWithLostChild();
    await writeFile(blobDataPath(store.directory, layer), "The only layer");

    const { report } = await repair(root);

    expect(report.changes).toEqual([]);
    expect(report.images[0]?.missing).toMatchObject([
      { what: "revision-link", digest: manifest, remedy: "relink" },
      { what: "layer", digest: layer, reason: "has other bytes", remedy: "rebuild" },
    ]);
    expect(report.images[0]?.hints).toContain(
      `mv ${blobDataPath("", layer)} ${blobDataPath("", layer)}.damaged`,
    );
  });

  test("finds silent damage of an image that seems whole, when it is asked to read everything", async () => {
    const root = await temporaryDirectory();
    const { layer } = await writeHealthyStore(join(root, "private"));
    await writeHealthyStore(join(root, "cache"));
    await writeFile(blobDataPath(join(root, "private"), layer), "The only layer");

    expect((await repair(root)).exitCode).toBe(0);
    const { exitCode, report } = await repair(root, "--verify-layers", "--apply");

    expect(report.changes).toMatchObject([{ kind: "blob", digest: layer, replaces: "has other bytes" }]);
    expect([exitCode, (await repair(root, "--verify-layers")).exitCode]).toEqual([0, 0]);
  });

  test("is refused above its budget, with the number to allow", async () => {
    const root = await temporaryDirectory();
    await writeDamagedStore(root);
    const before = await treeOf(root);

    const { exitCode, stdout, stderr } = await regwarden(["repair", root, "--apply", "--max-changes", "3"]);

    expect(exitCode).toBe(1);
    expect(stdout).toContain("to be done");
    expect(stderr).toContain("--max-changes 4");
    expect(await treeOf(root)).toEqual(before);
    expect((await repair(root, "--apply", "--max-changes", "4")).exitCode).toBe(0);
  });

  test("can be kept to one repository and one registry", async () => {
    const { root, store, manifest } = await rootWithLostChild();
    await writeDamagedStore(root);
    const other = storeAt(store.directory);
    const image = await other.manifest(
      "other",
      { schemaVersion: 2, config: { digest: manifest }, layers: [] },
      "x",
    );
    await rm(other.revisionLink("other", image));
    await other.put(other.layerLink("other", manifest), manifest);

    const { report } = await repair(root, "--repository", "other", "--registry", "private");

    expect(report.images.map(({ repository, tag }) => [repository, tag])).toEqual([["other", "x"]]);
    const nowhere = await regwarden(["repair", root, "--repository", "nowhere"]);
    expect([nowhere.exitCode, nowhere.stderr]).toEqual([3, expect.stringContaining("no such repository")]);
  });

  test("is never made for caches, and says which option names the registry that is none", async () => {
    const root = await temporaryDirectory();
    await writeHealthyStore(join(root, "one"));
    await writeHealthyStore(join(root, "two"));
    const { exitCode, stderr } = await regwarden(["repair", root, "--cache", "one", "--cache", "two"]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("--authoritative NAME")]);
  });

  test("relinks what no tag leads to, but copies nothing for it", async () => {
    const root = await temporaryDirectory();
    await writeDamagedStore(root);
    await rm(tagsPath(join(root, "private"), "app"), { recursive: true });

    const { report } = await repair(root);

    expect([report.images, report.changes]).toEqual([[], []]);
    expect(report.triage.map(({ remedy }) => remedy)).not.toContain("recopy");
  });
});

describe("a tag whose link is lost", () => {
  async function rootWithLostTag(...history: string[]) {
    const { root, store } = await privateStore();
    const { index } = await writeHealthyStore(store.directory);
    await writeFile(tagLinkPath(store.directory, "app", "1"), "");
    for (const digest of [index, ...history]) {
      const entry = linkDirectory(
        join(tagsPath(store.directory, "app"), "1", "index"),
        `sha256:${digest.slice(7)}`,
      );
      await store.put(join(entry, "link"), digest);
    }
    return { root, store, index };
  }

  test("is pointed at the only manifest that it ever led to, when that is asked for", async () => {
    const { root, store, index } = await rootWithLostTag();

    const careful = await repair(root, "--apply");
    expect([careful.exitCode, careful.report.changes]).toEqual([1, []]);
    expect(careful.report.images[0]?.hints[0]).toContain("--tag-links");
    const { exitCode } = await repair(root, "--apply", "--tag-links");

    expect(exitCode).toBe(0);
    expect(await readFile(tagLinkPath(store.directory, "app", "1"), "utf8")).toBe(index);
  });

  test("is left alone when it can have meant more than one", async () => {
    const { root } = await rootWithLostTag(`sha256:${"0".repeat(64)}`);
    const { exitCode, report } = await repair(root, "--apply", "--tag-links");
    expect([exitCode, report.changes]).toEqual([1, []]);
    expect(report.images).toMatchObject([{ tag: "1", digest: null, remedy: "rebuild" }]);
  });
});

test("A tag that is pushed while a repair is at work keeps what was pushed", async () => {
  const { root, store } = await privateStore();
  const { index, manifest } = await writeHealthyStore(store.directory);
  const link = tagLinkPath(store.directory, "app", "1");
  await store.put(link, "");
  const history = join(tagsPath(store.directory, "app"), "1", "index");
  await store.put(join(linkDirectory(history, index), "link"), index);
  const effects = createEffects((effect) => {
    if (effect === "openJournal") writeFileSync(link, manifest);
  });
  const terminal = { out: () => {}, err: () => {}, isInteractive: false, readLine: async () => "" };

  await runRepair([root, "--apply", "--tag-links"], terminal, effects);

  expect(await readFile(link, "utf8")).toBe(manifest);
});
