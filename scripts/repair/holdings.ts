import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";
import { type Digest, isDigestOf, isDigestOfNothing } from "../registry/digest.ts";
import { type Manifest, manifestSizeLimitBytes, parseManifest } from "../registry/manifest.ts";
import { blobDataPath } from "../registry/paths.ts";
import { readWhole, statFile, unreadable } from "../source/disk/files.ts";
import { isFileOf } from "../source/disk/verified-blob.ts";
import type { Holding } from "./facts.ts";

/** What a store's blobs are really worth. A file that was hashed once is not hashed again while it stays the same. */
export interface Holdings {
  /** Of a configuration or layer: by its size, and where `isDeep` by every byte. */
  readonly ofBlob: (digest: Digest, expectedBytes: number | null, isDeep: boolean) => Promise<Holding>;
  /** Of a manifest: always by every byte, as they are few. With its content where that is right. */
  readonly ofManifest: (
    digest: Digest,
  ) => Promise<{ readonly holding: Holding; readonly manifest: Manifest | null }>;
}

export function createHoldings(dataDirectory: string): Holdings {
  const proven = new Map<string, string>();
  const isProven = async (path: string, digest: Digest): Promise<boolean> => {
    const before = fingerprint(await stat(path, { bigint: true }));
    if (proven.get(path) === before) return true;
    if (!(await isFileOf(path, digest))) return false;
    proven.set(path, before);
    return true;
  };
  return {
    ofBlob: async (digest, expectedBytes, isDeep) => {
      const path = blobDataPath(dataDirectory, digest);
      const found = await statFile(path);
      if (found.state !== "present") return found;
      const { sizeBytes } = found;
      if (sizeBytes === 0 && !isDigestOfNothing(digest)) return { state: "damaged", reason: "is empty" };
      const hasSize = expectedBytes === null || expectedBytes === sizeBytes;
      if (hasSize && !isDeep) return { state: "good", sizeBytes };
      try {
        if (await isProven(path, digest)) return judgeSize(sizeBytes, expectedBytes);
      } catch (error) {
        return unreadable(path, error);
      }
      const reason = hasSize ? "has other bytes" : `has ${sizeBytes} bytes instead of ${expectedBytes}`;
      return { state: "damaged", reason };
    },
    ofManifest: (digest) => readManifestHolding(blobDataPath(dataDirectory, digest), digest),
  };
}

/** What changes when anybody writes a file. */
function fingerprint({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [ino, size, mtimeNs, ctimeNs].join(" ");
}

/** For bytes that are right: a client compares their number with the manifest's, and gives up where they differ. */
function judgeSize(sizeBytes: number, expectedBytes: number | null): Holding {
  if (expectedBytes === null || expectedBytes === sizeBytes) return { state: "good", sizeBytes };
  const reason = `has ${sizeBytes} bytes, as its digest says, but the manifest promises ${expectedBytes}`;
  return { state: "useless", reason };
}

async function readManifestHolding(
  location: string,
  digest: Digest,
): Promise<{ readonly holding: Holding; readonly manifest: Manifest | null }> {
  const found = await statFile(location);
  if (found.state !== "present") return { holding: found, manifest: null };
  if (found.sizeBytes > manifestSizeLimitBytes)
    return { holding: await judgeGiant(location, digest), manifest: null };
  const file = await readWhole(location, manifestSizeLimitBytes);
  if (file.state !== "read") return { holding: file, manifest: null };
  const { content } = file;
  if (content.length === 0) return { holding: { state: "damaged", reason: "is empty" }, manifest: null };
  if (!isDigestOf(digest, content))
    return { holding: { state: "damaged", reason: "has other bytes" }, manifest: null };
  const manifest = parseManifest(content);
  if (manifest.type === "fault")
    return { holding: { state: "useless", reason: manifest.reason }, manifest: null };
  return { holding: { state: "good", sizeBytes: content.length }, manifest };
}

/** No registry takes a manifest of this size, so these bytes are another file's, or of no use to anybody. */
async function judgeGiant(location: string, digest: Digest): Promise<Holding> {
  try {
    const isRight = await isFileOf(location, digest);
    const reason = `is longer than the ${manifestSizeLimitBytes} bytes that a manifest can have`;
    return { state: isRight ? "useless" : "damaged", reason };
  } catch (error) {
    return unreadable(location, error);
  }
}
