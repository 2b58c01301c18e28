import { type Digest, isDigestOf } from "../../registry/digest.ts";
import { manifestSizeLimitBytes, parseManifest } from "../../registry/manifest.ts";
import { blobDataPath } from "../../registry/paths.ts";
import type { ManifestState } from "../source.ts";
import { readWhole } from "./files.ts";

/** The manifest that a digest names, from the blob that holds it. Its bytes are always compared with the digest. */
export function readManifest(dataDirectory: string, digest: Digest): ManifestState {
  const location = blobDataPath(dataDirectory, digest);
  const file = readWhole(location, manifestSizeLimitBytes);
  if (file.state !== "read") return file;
  if (file.content.length === 0) return { state: "empty" };
  if (!isDigestOf(digest, file.content)) return { state: "altered" };
  const manifest = parseManifest(file.content);
  if (manifest.type === "fault")
    return { state: "unreadable", location, reason: manifest.reason, isUnparsable: true };
  return { state: "parsed", manifest, sizeBytes: file.content.length };
}
