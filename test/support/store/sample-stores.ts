import { rm, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Digest } from "../../../scripts/registry/digest.ts";
import { mediaTypes } from "../../../scripts/registry/media-types.ts";
import { privateStore, storeAt } from "./store.ts";

/** The digests of the one image that the sample stores hold. */
export interface SampleImage {
  readonly index: Digest;
  readonly manifest: Digest;
  readonly config: Digest;
  readonly layer: Digest;
}

/** Writes an index of one image under the tag `app:1`, complete. */
export async function writeHealthyStore(directory: string): Promise<SampleImage> {
  const store = storeAt(directory);
  const [configText, layerText] = ['{"os":"linux"}', "the only layer"];
  const config = await store.layer("app", configText);
  const layer = await store.layer("app", layerText);
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { digest: config, size: configText.length },
    layers: [{ digest: layer, size: layerText.length }],
  };
  const manifest = await store.manifest("app", document);
  const platform = { os: "linux", architecture: "amd64" };
  const child = { digest: manifest, size: JSON.stringify(document).length, platform };
  const list = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] };
  const index = await store.manifest("app", list, "1");
  return { index, manifest, config, layer };
}

/**
 * A data root whose private registry lost, of the tag `app:1`, the configuration and its link, half of the layer, and
 * the link of the child; a cache beside it has all of the data.
 */
export async function writeDamagedStore(root: string): Promise<SampleImage> {
  const store = storeAt(join(root, "private"));
  const written = await writeHealthyStore(store.directory);
  await writeHealthyStore(join(root, "cache"));
  const { config, layer, manifest } = written;
  await rm(dirname(store.blobData(config)), { recursive: true });
  await rm(dirname(store.layerLink("app", config)), { recursive: true });
  await truncate(store.blobData(layer), 5);
  await rm(dirname(store.revisionLink("app", manifest)), { recursive: true });
  return written;
}

/** A data root whose private registry lost the link of the only child of `app:1`. */
export async function rootWithLostChild() {
  const { root, store } = await privateStore();
  const written = await writeHealthyStore(store.directory);
  await rm(store.revisionLink("app", written.manifest));
  return { root, store, ...written };
}
