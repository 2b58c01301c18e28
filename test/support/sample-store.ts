import { rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../../scripts/registry/digest.ts";
import { mediaTypes } from "../../scripts/registry/media-types.ts";
import { blobDataPath, blobDirectory, linkDirectory, revisionsPath } from "../../scripts/registry/paths.ts";
import { storeAt } from "./store.ts";

/** What {@link writeDamagedStore} wrote. */
export interface DamagedStore {
  readonly index: Digest;
  readonly manifest: Digest;
  readonly config: Digest;
  readonly layer: Digest;
}

/** Writes an index of one image under the tag `app:1`, whole. */
export async function writeWholeStore(directory: string): Promise<DamagedStore> {
  const store = storeAt(directory);
  const [configText, layerText] = ['{"os":"linux"}', "the only layer"];
  const config = await store.layer("app", configText);
  const layer = await store.layer("app", layerText);
  const manifestOf = { schemaVersion: 2, mediaType: mediaTypes.ociManifest };
  const document = {
    ...manifestOf,
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
export async function writeDamagedStore(root: string): Promise<DamagedStore> {
  const store = join(root, "private");
  const written = await writeWholeStore(store);
  await writeWholeStore(join(root, "cache"));
  const { config, layer, manifest } = written;
  await rm(blobDirectory(store, config), { recursive: true });
  await rm(join(storeAt(store).layerLink("app", config), ".."), { recursive: true });
  await truncate(blobDataPath(store, layer), 5);
  await rm(linkDirectory(revisionsPath(store, "app"), manifest), { recursive: true });
  return written;
}
