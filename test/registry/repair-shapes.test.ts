import { readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Digest, digestOf } from "../../scripts/registry/digest.ts";
import { blobsPath, layersPath, linkDirectory, revisionsPath } from "../../scripts/registry/paths.ts";
import { repair } from "../support/commands.ts";
import { artifacts, imageWithEmptyLayer, imageWithLongDigest } from "../support/images/artifacts.ts";
import { type Content, digest } from "../support/images/oci-content.ts";
import { probeStore, scanStore } from "../support/registry/findings.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { storeAt } from "../support/store/store.ts";

/** Everything that registries hold: images, indexes of all kinds, build caches, artifacts, SHA-512 and empty blobs. */

const shapes = Object.entries(artifacts).map(
  ([name, content]) => [name.toLowerCase().replaceAll(" ", "-"), content] as const,
);
const longDigest = artifacts["an image with a SHA-512 digest"];

async function pushAll(registry: Registry): Promise<void> {
  for (const [repository, content] of shapes) await registry.upload(content, repository, "1");
}

describe("a repair of all shapes", () => {
  let registry: Registry;
  let healthy: Registry;

  beforeEach(async () => {
    registry = await startRegistry();
    healthy = await startRegistry();
    await pushAll(registry);
  });
  afterEach(async () => {
    await registry.dispose();
    await healthy.dispose();
  });

  async function expectHealed(...flags: readonly string[]) {
    const { exitCode, report } = await repair(
      registry.directory,
      "--apply",
      "--max-changes",
      "10000",
      ...flags,
    );
    expect(report.problems).toEqual([]);
    expect(report.images.filter(({ completeAfterwards }) => !completeAfterwards)).toEqual([]);
    expect(report.outcome).toMatchObject({ failures: [], left: [] });
    expect(exitCode).toBe(0);
    expect(await scanStore(registry.directory)).toEqual([]);
    expect(await probeStore(registry.url)).toEqual([]);
    return report;
  }

  test("finds nothing to do where nothing is missing", async () => {
    expect(await repair(registry.directory)).toMatchObject({
      exitCode: 0,
      report: { images: [], changes: [] },
    });
  });

  test("puts all links back", async () => {
    for (const [repository] of shapes) {
      await rm(revisionsPath(registry.directory, repository), { recursive: true });
      const layers = layersPath(registry.directory, repository);
      // Of content that was pushed under SHA-512, one of both links must say under which digest it is stored.
      for (const algorithm of await readdir(layers))
        if (algorithm !== "sha256" || repository !== nameOf(longDigest))
          await rm(join(layers, algorithm), { recursive: true });
    }
    const report = await expectHealed();
    expect(report.changes.filter(({ from }) => from !== null)).toEqual([]);
  });

  test("copies all content from a healthy registry", async () => {
    await pushAll(healthy);
    await rm(blobsPath(registry.directory), { recursive: true });
    const report = await expectHealed("--from", healthy.url);
    const fetched = report.changes.filter(({ kind, from }) => kind === "blob" && from === healthy.url);
    expect(new Set(fetched.map(({ target }) => target)).size).toBe(fetched.length);
    expect(report.changes.filter(({ kind, from }) => kind === "blob" && from === null)).toHaveLength(1);
  });
});

describe("a repair of what was pushed under SHA-512", () => {
  const content = imageWithLongDigest("long");
  const layer = layerOf(content);
  const canonical = digestOf(layer.bytes);
  let registry: Registry;

  beforeEach(async () => {
    registry = await startRegistry();
    await registry.upload(content, "app", "1");
  });
  afterEach(() => registry.dispose());

  const layerStatus = async () => (await fetch(`${registry.url}/v2/app/blobs/${digest(layer)}`)).status;
  const linkTo = (name: Digest) => linkDirectory(layersPath(registry.directory, "app"), name);

  test("finds nothing to do where the link under it leads to the content", async () => {
    expect(await repair(registry.directory)).toMatchObject({ exitCode: 0, report: { images: [] } });
  });

  test("puts the link back that leads to the content", async () => {
    await rm(linkTo(digest(layer)), { recursive: true });
    expect(await layerStatus()).toBe(404);

    const { exitCode, report } = await repair(registry.directory, "--apply");

    expect(report.changes).toMatchObject([{ kind: "layer-link", digest: digest(layer), target: canonical }]);
    expect(report.triage).toMatchObject([{ finding: { digest: digest(layer) }, remedy: "relink" }]);
    expect([exitCode, await layerStatus()]).toEqual([0, 200]);
  });

  test("puts the content's own link back, without which the registry serves it under no digest", async () => {
    await rm(linkTo(canonical), { recursive: true });
    expect(await layerStatus()).toBe(500);

    const { exitCode, report } = await repair(registry.directory, "--apply");

    expect(report.changes).toMatchObject([{ kind: "layer-link", digest: canonical, target: canonical }]);
    expect(report.triage).toMatchObject([{ finding: { digest: canonical }, remedy: "relink" }]);
    expect([exitCode, await layerStatus()]).toEqual([0, 200]);
  });

  test("puts no link to other content of the same length", async () => {
    await rm(linkTo(digest(layer)), { recursive: true });
    await rm(linkTo(canonical), { recursive: true });
    const other = layer.bytes.map((byte) => byte ^ 1);
    await storeAt(registry.directory).layer("app", other);

    const { exitCode, report } = await repair(registry.directory, "--apply");

    expect([exitCode, report.changes]).toEqual([1, []]);
    expect(report.images).toMatchObject([{ tag: "1", remedy: "rebuild" }]);
  });

  test("copies the content that a collection swept, under the digest that the link holds", async () => {
    await registry.collectGarbage();
    expect(await layerStatus()).toBe(404);
    expect((await repair(registry.directory)).report.images).toMatchObject([{ remedy: "rebuild" }]);
    const healthy = await startRegistry();
    try {
      await healthy.upload(content, "app", "1");

      const { exitCode, report } = await repair(registry.directory, "--apply", "--from", healthy.url);

      expect(report.changes).toMatchObject([{ kind: "blob", digest: digest(layer), target: canonical }]);
      expect([exitCode, await layerStatus()]).toEqual([0, 200]);
      expect(await scanStore(registry.directory)).toEqual([]);
    } finally {
      await healthy.dispose();
    }
  });
});

test("The empty blob is written again without any source, and the registry serves it", async () => {
  const registry = await startRegistry();
  try {
    const content = imageWithEmptyLayer("empty");
    await registry.upload(content, "app", "1");
    const empty = storeAt(registry.directory).blobData(digest(layerOf(content)));
    await rm(dirname(empty), { recursive: true });

    const { exitCode, report } = await repair(registry.directory, "--apply");

    expect(report.changes).toMatchObject([{ kind: "blob", sizeBytes: 0, from: null }]);
    expect([exitCode, (await readFile(empty)).length]).toEqual([0, 0]);
    expect(await probeStore(registry.url)).toEqual([]);
  } finally {
    await registry.dispose();
  }
});

function nameOf(content: Content | undefined): string {
  return shapes.find(([, one]) => one === content)?.[0] ?? "";
}

/** The last layer of an image. */
function layerOf({ parts }: Content): Content {
  const layer = parts.at(-1);
  if (!layer) throw new Error("the image has no layer");
  return layer;
}
