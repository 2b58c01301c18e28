import { join } from "node:path";
import type { Digest } from "../../registry/digest.ts";
import { blobDataPath, blobsPath, digestFromNames } from "../../registry/paths.ts";
import { mapBounded } from "../bounded.ts";
import type { BlobFact, BlobState, Unreadable } from "../source.ts";
import { filesAtATime, isUnreadable, listDirectory, mayBeDirectory, statFile } from "./files.ts";

/** Whether one blob is there now. */
export function readBlob(dataDirectory: string, digest: Digest): Promise<BlobState> {
  return statFile(blobDataPath(dataDirectory, digest));
}

/** All blobs with their sizes. A blob's directory without data, or under a name that is no digest, is none. */
export async function* readBlobs(dataDirectory: string): AsyncGenerator<BlobFact> {
  yield* mapBounded(listBlobs(dataDirectory), filesAtATime, async (listed): Promise<BlobFact> => {
    if (typeof listed !== "string") return { digest: null, blob: listed };
    return { digest: listed, blob: await readBlob(dataDirectory, listed) };
  });
}

async function* listBlobs(dataDirectory: string): AsyncGenerator<Digest | Unreadable> {
  const base = blobsPath(dataDirectory);
  for await (const algorithm of directoriesIn(base)) {
    if (typeof algorithm !== "string") yield algorithm;
    else yield* listAlgorithm(join(base, algorithm), algorithm);
  }
}

async function* listAlgorithm(path: string, algorithm: string): AsyncGenerator<Digest | Unreadable> {
  for await (const prefix of directoriesIn(path)) {
    if (typeof prefix !== "string") yield prefix;
    else
      for await (const hex of directoriesIn(join(path, prefix))) {
        const digest = typeof hex === "string" ? digestFromNames(algorithm, hex) : hex;
        if (digest) yield digest;
      }
  }
}

async function* directoriesIn(path: string): AsyncGenerator<string | Unreadable> {
  for await (const entry of listDirectory(path)) {
    if (isUnreadable(entry)) yield entry;
    else if (mayBeDirectory(entry)) yield entry.name;
  }
}
