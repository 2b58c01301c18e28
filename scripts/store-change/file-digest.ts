import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { type Digest, splitDigest } from "../registry/digest.ts";

/** Whether a file's bytes are those that a digest stands for, read piece by piece. Errors: those of the file system. */
export async function isFileOf(path: string, digest: Digest): Promise<boolean> {
  const { algorithm, hex } = splitDigest(digest);
  const hash = createHash(algorithm);
  // Without O_NONBLOCK a named pipe in the place of a file would hold the run for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  for await (const chunk of file.createReadStream({ highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return hash.digest("hex") === hex;
}
