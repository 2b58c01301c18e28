import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { systemCode } from "../../cli/errors.ts";
import { type Digest, splitDigest } from "../../registry/digest.ts";
import { blobDataPath } from "../../registry/paths.ts";
import type { BlobState, Pace } from "../source.ts";
import { statFile, unreadable } from "./files.ts";

const pieceBytes = 1024 * 1024;

/**
 * Whether one blob is there now and holds the bytes that a digest stands for: its own, or the one under which it was
 * pushed. It is read piece by piece.
 */
export async function readVerifiedBlob(
  dataDirectory: string,
  digest: Digest,
  pace: Pace,
  name: Digest = digest,
): Promise<BlobState> {
  const location = blobDataPath(dataDirectory, digest);
  const found = statFile(location);
  if (found.state !== "present") return found;
  try {
    const expected = splitDigest(name);
    const { hex, sizeBytes } = await hashFile(location, expected.algorithm, pace);
    return { state: "present", sizeBytes, isAltered: hex !== expected.hex };
  } catch (error) {
    return systemCode(error) === "ENOENT" ? { state: "missing" } : unreadable(location, error);
  }
}

/** Whether a file's bytes are those that a digest stands for. Errors: those of the file system. */
export async function isFileOf(path: string, digest: Digest): Promise<boolean> {
  const { algorithm, hex } = splitDigest(digest);
  return (await hashFile(path, algorithm, async () => {})).hex === hex;
}

async function hashFile(
  path: string,
  algorithm: string,
  pace: Pace,
): Promise<{ readonly hex: string; readonly sizeBytes: number }> {
  // Without O_NONBLOCK a named pipe under the name of a file would hold the run for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const hash = createHash(algorithm);
    // Of configurations there are many, and most are short.
    const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, (await file.stat()).size + 1));
    let sizeBytes = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return { hex: hash.digest("hex"), sizeBytes };
      hash.update(buffer.subarray(0, bytesRead));
      sizeBytes += bytesRead;
      await pace(bytesRead);
    }
  } finally {
    await file.close();
  }
}
