import { cp, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { blobDataPath, blobDirectory } from "../../../../scripts/registry/paths.ts";
import { preferCopies } from "../../../../scripts/scan/recopy.ts";
import { diskSource } from "../../../../scripts/source/disk/registry.ts";
import { scanRegistry } from "../../../../scripts/store-check/scan-registry.ts";
import { scan } from "../../../support/commands.ts";
import { privateStore, storeAt } from "../../../support/store/store.ts";

const amd64 = { os: "linux", architecture: "amd64" };

/** A private registry and a mirror of it, both with the image app:1 of a configuration and a layer. */
async function mirrored({ promised = 7, repositories = ["app"] } = {}) {
  const { root, store } = await privateStore();
  const config = await store.blob("config");
  const layer = await store.blob("a layer");
  const document = { config: { digest: config, size: 6 }, layers: [{ digest: layer, size: promised }] };
  for (const repository of repositories) {
    for (const content of ["config", "a layer"]) await store.layer(repository, content);
    await store.manifest(repository, document, "1");
  }
  const image = await store.blob(JSON.stringify(document));
  const mirror = join(root, "mirror");
  await cp(store.directory, mirror, { recursive: true });
  return { root, store, mirror, layer, image, sizeBytes: JSON.stringify(document).length };
}

describe("a copy in another registry", () => {
  async function remedies(root: string, ...flags: readonly string[]) {
    const { report } = await scan(root, "--registry", "private", ...flags);
    return report.findings.map(({ kind, cause, remedy }) => `${kind}/${cause}: ${remedy}`);
  }

  test("heals a layer that was cut short", async () => {
    const { root, store, layer } = await mirrored();
    await truncate(blobDataPath(store.directory, layer), 3);
    expect(await remedies(root)).toEqual(["layer/size-mismatch: recopy"]);
  });

  test("does not heal a manifest that promises another length than its layer has", async () => {
    const { root, store, layer } = await mirrored({ promised: 8 });
    expect(await remedies(root)).toEqual(["layer/size-mismatch: rebuild"]);
    await rm(blobDirectory(store.directory, layer), { recursive: true });
    expect(await remedies(root)).toEqual(["layer/blob-missing: rebuild"]);
  });

  test("does not heal an index that promises another length than its child has", async () => {
    const { root, store, mirror, image, sizeBytes } = await mirrored();
    const manifests = [{ digest: image, platform: amd64, size: sizeBytes + 1 }];
    await store.manifest("app", { manifests }, "multi");
    expect(await remedies(root)).toEqual(["index-child/size-mismatch: rebuild"]);
    await rm(mirror, { recursive: true });
    await storeAt(mirror).blob("something else");
    expect(await remedies(root)).toEqual(["index-child/size-mismatch: rebuild"]);
  });

  test("must hold what is missing here: an empty registry heals nothing", async () => {
    const { root, store, mirror, layer, image } = await mirrored();
    await rm(mirror, { recursive: true });
    await storeAt(mirror).blob("something else");
    await rm(store.revisionLink("app", image));
    await rm(blobDirectory(store.directory, layer), { recursive: true });
    expect(await remedies(root)).toEqual([
      "manifest/link-missing: rebuild",
      "layer-link/blob-missing: remove-link",
    ]);
  });

  test("must be sound, also below a manifest", async () => {
    const { root, store, mirror, layer, image } = await mirrored();
    await rm(store.revisionLink("app", image));
    await rm(blobDirectory(store.directory, layer), { recursive: true });
    const [lost = ""] = await remedies(root);
    expect(lost).toBe("manifest/link-missing: recopy");
    await writeFile(blobDataPath(mirror, layer), "A LAYER");
    expect((await remedies(root))[0]).toBe("manifest/link-missing: rebuild");
  });

  test("heals no manifest whose layer here was found to hold other bytes, unless it has that layer", async () => {
    const { root, store, mirror, layer } = await mirrored();
    await writeFile(blobDataPath(store.directory, layer), "A LAYER");
    expect(await remedies(root, "--verify-layers")).toEqual(["layer/digest-mismatch: recopy"]);
    await rm(blobDirectory(mirror, layer), { recursive: true });
    expect(await remedies(root, "--verify-layers")).toEqual(["layer/digest-mismatch: rebuild"]);
  });

  test("is read once for all repositories that lack it, at the pace that was asked for", async () => {
    const repositories = Array.from({ length: 20 }, (_, number) => `app${number}`);
    const { store, mirror, layer } = await mirrored({ repositories });
    await rm(blobDirectory(store.directory, layer), { recursive: true });
    const own = diskSource("private", store.directory);
    const { findings } = await scanRegistry(own, "authoritative", () => {});
    let readBytes = 0;
    const pace = async (bytes: number) => {
      readBytes += bytes;
    };
    const preferred = await preferCopies(findings, [own, diskSource("mirror", mirror)], pace);
    expect(preferred.map(({ remedy }) => remedy)).toEqual(Array(20).fill("recopy"));
    expect(readBytes).toBe("a layer".length);
  });
});
