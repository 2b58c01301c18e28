import { parseDigest } from "./digest.ts";
import type { BlobDescriptor, Manifest } from "./manifest.ts";
import { isIndexMediaType } from "./media-types.ts";

/**
 * An image's manifest of the form that nearly all have, with no keys but those of the specification; undefined for any
 * other document, whether it is usable or not. A store has as many manifests as tags, and a schema takes several times as
 * long for the same result.
 */
export function parseOrdinaryImage(document: unknown): Manifest | undefined {
  if (!isObject(document)) return undefined;
  const { schemaVersion, mediaType, config, layers, artifactType, annotations } = document;
  for (const key in document) if (!keysOfImage.has(key)) return undefined;
  if (typeof schemaVersion !== "number" && schemaVersion !== undefined) return undefined;
  if (!isTextOrAbsent(mediaType) || isIndexMediaType(mediaType)) return undefined;
  if (!isTextOrAbsent(artifactType) || !isOfTexts(annotations) || !Array.isArray(layers)) return undefined;
  const ownConfig = parseBlob(config, "config");
  if (!ownConfig) return undefined;
  const blobs = [ownConfig];
  const seen = new Set<string>([ownConfig.digest]);
  for (const layer of layers) {
    const blob = parseBlob(layer, "layer");
    if (!blob) return undefined;
    if (seen.has(blob.digest)) continue;
    seen.add(blob.digest);
    blobs.push(blob);
  }
  return { type: "image", children: [], blobs };
}

const keysOfImage: ReadonlySet<string> = new Set([
  "schemaVersion",
  "mediaType",
  "artifactType",
  "config",
  "layers",
  "annotations",
]);

const keysOfBlob: ReadonlySet<string> = new Set(["mediaType", "digest", "size", "annotations"]);

/** One that lies in the registry, with a size. */
function parseBlob(value: unknown, role: BlobDescriptor["role"]): BlobDescriptor | undefined {
  if (!isObject(value)) return undefined;
  const { mediaType, digest: text, size, annotations } = value;
  for (const key in value) if (!keysOfBlob.has(key)) return undefined;
  if (typeof text !== "string" || !isTextOrAbsent(mediaType) || !isOfTexts(annotations)) return undefined;
  const digest = parseDigest(text);
  if (!digest || typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return undefined;
  return { digest, role, sizeBytes: size };
}

/** Whether no descriptor can hide in it: a collector keeps what any key of this name refers to. */
function isOfTexts(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isObject(value)) return false;
  for (const key in value)
    if (typeof value[key] !== "string" || key === "digest" || key === "blobSum") return false;
  return true;
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
