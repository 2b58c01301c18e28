import { execFileSync } from "node:child_process";
import { cp, mkdir, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  blobDataPath,
  blobDirectory,
  schedulerStatePath,
  uploadsPath,
} from "../../../../scripts/registry/paths.ts";
import { scan } from "../../../support/commands.ts";
import { regwarden, temporaryDirectory } from "../../../support/program.ts";
import { privateStore, storeAt } from "../../../support/store/store.ts";

const size = (text: string) => Buffer.byteLength(text);

/** A store with one image, `app:1`, of a configuration and a layer. */
async function storeWithImage(directory?: string) {
  const { root, store } = directory
    ? { root: directory, store: storeAt(join(directory, "private")) }
    : await privateStore();
  const config = await store.layer("app", "config");
  const layer = await store.layer("app", "a layer");
  const document = {
    config: { digest: config, size: size("config") },
    layers: [{ digest: layer, size: size("a layer") }],
  };
  const image = await store.manifest("app", document, "1");
  return { root, store, config, layer, image };
}

describe("a part of a data root", () => {
  test("is looked at by the name of the registry or of the repository", async () => {
    const { root, store } = await storeWithImage();
    await storeAt(join(root, "dockerhub")).layer("library/busybox", "x");
    await rm(blobDirectory(store.directory, await store.layer("broken", "gone")), { recursive: true });
    const only = await scan(root, "--registry", "dockerhub");
    expect([only.exitCode, only.report.registries.map(({ name }) => name)]).toEqual([0, ["dockerhub"]]);
    const one = await scan(root, "--repository", "app");
    expect([one.exitCode, one.report.registries.map(({ repositories }) => repositories)]).toEqual([
      0,
      [0, 1],
    ]);
    expect((await scan(root, "--repository", "app", "--repository", "broken")).exitCode).toBe(1);
  });

  test.each([
    ["--registry", "there is no such store here; found private."],
    ["--repository", "no such repository in private."],
  ])("that is not there was not looked at: %s", async (option, message) => {
    const { root } = await storeWithImage();
    const { exitCode, stderr } = await regwarden(["scan", root, option, "gone"]);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining(message)]);
  });
});

describe("the digests", () => {
  test("of configurations and layers are compared when that is asked for, and no further", async () => {
    const { root, store, config, layer } = await storeWithImage();
    await writeFile(blobDataPath(store.directory, config), "CONFIG");
    await writeFile(blobDataPath(store.directory, layer), "A LAYER");
    expect((await scan(root)).exitCode).toBe(0);
    const common = { cause: "digest-mismatch", severity: "critical", tags: ["1"], remedy: "rebuild" };
    const some = await scan(root, "--verify-digests");
    expect(some.report.findings).toMatchObject([{ ...common, kind: "config", digest: config }]);
    const all = await scan(root, "--verify-layers", "--bandwidth-limit", "1M");
    expect(all.report.findings).toMatchObject([
      { ...common, kind: "config", digest: config },
      { ...common, kind: "layer", digest: layer },
    ]);
    expect(all.report.findings[1]?.hint).toMatch(/rm -r docker\/registry\/v2\/blobs\S+ .*restart/);
  });
});

describe("what another registry of the data root holds", () => {
  test("is recopied, not built again", async () => {
    const { root, store, layer, image } = await storeWithImage();
    await cp(store.directory, join(root, "mirror"), { recursive: true });
    await rm(blobDirectory(store.directory, layer), { recursive: true });
    const lost = {
      tags: ["1"],
      remedy: "recopy",
      hint: expect.stringContaining("from the registry mirror"),
    };
    expect((await scan(root)).report.findings).toMatchObject([{ kind: "layer", digest: layer, ...lost }]);
    await rm(blobDirectory(store.directory, image), { recursive: true });
    const findings = (await scan(root, "--registry", "private")).report.findings;
    expect(findings).toMatchObject([{ kind: "manifest", digest: image, ...lost }, { kind: "layer-link" }]);
  });

  test("is no help when it is damaged there as well", async () => {
    const { root, store, layer } = await storeWithImage();
    await cp(store.directory, join(root, "mirror"), { recursive: true });
    await rm(blobDirectory(store.directory, layer), { recursive: true });
    await writeFile(blobDataPath(join(root, "mirror"), layer), "A LAYER");
    expect((await scan(root, "--registry", "private")).report.findings).toMatchObject([
      { kind: "layer", remedy: "rebuild" },
    ]);
  });
});

describe("an upload", () => {
  async function uploadOf(days: number, startedat?: string) {
    const { root, store } = await storeWithImage();
    const directory = join(uploadsPath(store.directory, "new/app"), "0b2f");
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "data"), "abc");
    if (startedat !== undefined) await writeFile(join(directory, "startedat"), startedat);
    const written = Date.now() / 1000 - days * 86_400;
    await utimes(join(directory, "data"), written, written);
    return scan(root);
  }

  test("that nobody has written to for a week is in the way, also where no repository came of it", async () => {
    const { exitCode, report } = await uploadOf(8, "2026-01-01T00:00:00Z");
    expect(exitCode).toBe(1);
    expect(report.findings).toMatchObject([
      {
        kind: "upload",
        cause: "stale",
        severity: "warning",
        repository: "new/app",
        digest: null,
        tags: [],
        place: "0b2f",
      },
    ]);
    expect(report.findings[0]?.message).toMatch(/holds 3 bytes/);
    expect(report.findings[0]?.hint).toMatch(/rm -r \S+\/new\/app\/_uploads\/0b2f$/);
    expect((await uploadOf(8, "no time at all")).report.findings).toHaveLength(1);
  });

  test("that was written to this week goes on, however long ago it was begun", async () => {
    expect((await uploadOf(6, "2026-01-01T00:00:00Z")).exitCode).toBe(0);
    expect((await uploadOf(6)).exitCode).toBe(0);
  });
});

describe("absurd files", () => {
  test("cost neither time nor memory", async () => {
    const { root, store, config, layer, image } = await storeWithImage();
    await truncate(blobDataPath(store.directory, image), 2 * 1024 ** 3);
    await truncate(store.layerLink("app", layer), 2 * 1024 ** 3);
    await rm(store.layerLink("app", config));
    execFileSync("mkfifo", [store.layerLink("app", config)]);
    const before = process.memoryUsage().rss;
    const { exitCode, report } = await scan(root);
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 ** 2);
    expect(exitCode).toBe(3);
    expect(report.findings.map(({ kind, cause }) => `${kind}/${cause}`).sort()).toEqual([
      "layer-link/link-invalid",
      "layer-link/link-invalid",
      "manifest/unreadable",
    ]);
  });
});

test("a cache that holds a part of what its images need is healthy", async () => {
  const root = await temporaryDirectory();
  const { store, config, layer } = await storeWithImage(root);
  const other = { digest: `sha256:${"0".repeat(64)}`, platform: { os: "linux", architecture: "arm64" } };
  await store.manifest("app", { manifests: [other] }, "2");
  const cache = join(root, "dockerhub");
  await cp(store.directory, cache, { recursive: true });
  for (const digest of [config, layer]) {
    await rm(blobDirectory(cache, digest), { recursive: true });
    await rm(join(storeAt(cache).layerLink("app", digest), ".."), { recursive: true });
  }
  await writeFile(schedulerStatePath(cache), "{}");
  const { exitCode, report } = await scan(root, "--registry", "dockerhub");
  expect([exitCode, report.findings]).toEqual([0, []]);
});
