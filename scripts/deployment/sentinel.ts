import { digestOf } from "../registry/digest.ts";
import { mediaTypes } from "../registry/media-types.ts";

/**
 * The sentinel: an image with one empty layer that stands in the authoritative registry for ever. A registry that
 * does not have it is another one, or lost its storage. Its bytes never change, so its digest is
 * known beforehand; a new sentinel would be a new tag.
 */

/** An archive without entries: two blocks of zeros. Source: POSIX pax, end of archive. */
const layer: Uint8Array<ArrayBuffer> = new Uint8Array(1024);

const config = encode({
  architecture: "amd64",
  os: "linux",
  config: { Labels: { "org.opencontainers.image.title": "regwarden sentinel" } },
  rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
});

const manifest = encode({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: descriptor(mediaTypes.ociConfig, config),
  layers: [descriptor(mediaTypes.ociLayer, layer)],
});

export const sentinel = {
  manifest,
  mediaType: mediaTypes.ociManifest,
  digest: digestOf(manifest),
  /** What has to be there before the manifest. */
  blobs: [config, layer].map((content) => ({ content, digest: digestOf(content) })),
} as const;

function encode(document: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(document));
}

function descriptor(mediaType: string, content: Uint8Array): object {
  return { mediaType, digest: digestOf(content), size: content.byteLength };
}
