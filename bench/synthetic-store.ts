import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Digest, digestOf } from "../scripts/registry/digest.ts";
import { mediaTypes } from "../scripts/registry/media-types.ts";
import {
  blobDataPath,
  layersPath,
  linkDirectory,
  revisionsPath,
  tagLinkPath,
  tagsPath,
} from "../scripts/registry/paths.ts";

/** Images of a repository, and of the layers of each those that it shares with its neighbours. */
const tagsOfEach = 20;
const ownLayers = 4;
const sharedLayers = 4;
/** Repositories that share their bases. */
const groups = 10;
const layerBytes = 30_000_000;
const configBytes = 1470;

/**
 * Writes a healthy store of about `target` files, as CI leaves it: images of eight layers, half of them shared. Blobs are
 * sparse, since nobody reads them; links and manifests are real. Returns the number of files.
 */
export function writeSyntheticStore(directory: string, target: number): number {
  const written = new Set<string>();
  const put = (path: string, content: string | number) => {
    if (written.has(path)) return;
    written.add(path);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === "string") return writeFileSync(path, content);
    const file = openSync(path, "w");
    ftruncateSync(file, content);
    closeSync(file);
  };
  for (let number = 0; written.size < target; number++)
    for (let tag = 0; tag < tagsOfEach && written.size < target; tag++)
      writeImage(directory, { number, tag }, put);
  return written.size;
}

function writeImage(
  directory: string,
  { number, tag }: { readonly number: number; readonly tag: number },
  put: (path: string, content: string | number) => void,
): void {
  const group = number % groups;
  const repository = `group${group}/app${number}`;
  const layers = [
    ...named(sharedLayers, (position) => `base ${group} ${position}`),
    ...named(ownLayers, (position) => `layer ${number} ${tag} ${position}`),
  ];
  const config = named(1, () => `config ${number} ${tag}`)[0] ?? digestOf(new Uint8Array());
  const text = manifestOf(config, layers);
  const manifest = digestOf(Buffer.from(text));
  const revision = join(linkDirectory(revisionsPath(directory, repository), manifest), "link");
  const history = join(tagsPath(directory, repository), `v${tag}`, "index");
  put(blobDataPath(directory, manifest), text);
  put(blobDataPath(directory, config), configBytes);
  for (const layer of layers) put(blobDataPath(directory, layer), layerBytes);
  for (const digest of [config, ...layers])
    put(join(linkDirectory(layersPath(directory, repository), digest), "link"), digest);
  put(revision, manifest);
  put(tagLinkPath(directory, repository, `v${tag}`), manifest);
  put(join(linkDirectory(history, manifest), "link"), manifest);
}

function named(count: number, name: (position: number) => string): readonly Digest[] {
  return Array.from({ length: count }, (_, position) => digestOf(Buffer.from(name(position))));
}

function manifestOf(config: Digest, layers: readonly Digest[]): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config, size: configBytes },
    layers: layers.map((digest) => ({ mediaType: mediaTypes.ociLayer, digest, size: layerBytes })),
  });
}
