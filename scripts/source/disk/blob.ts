import { createReadStream } from "node:fs";
import type { Digest } from "../../registry/digest.ts";
import { blobDataPath, blobsPath, digestFromNames } from "../../registry/paths.ts";
import type { BlobFact, BlobState, Share, Unreadable } from "../source.ts";
import { isUnreadable, listNames, statFile } from "./files.ts";

/** Whether one blob is there now. */
export function readBlob(dataDirectory: string, digest: Digest): BlobState {
  return statFile(blobDataPath(dataDirectory, digest));
}

/** The bytes of one blob, as they lie on the disk. Errors: those of the file system. */
export async function* readContent(dataDirectory: string, digest: Digest): AsyncGenerator<Uint8Array> {
  yield* createReadStream(blobDataPath(dataDirectory, digest), { highWaterMark: 1024 * 1024 });
}

/** All blobs with their sizes. A blob's directory without data, or under a name that is no digest, is none. */
export function* readBlobs(
  dataDirectory: string,
  { index, count }: Share = { index: 0, count: 1 },
): Generator<BlobFact> {
  const base = blobsPath(dataDirectory);
  // The prefixes are the first digits of digests, so as many blobs are behind each.
  let position = 0;
  for (const algorithm of namesIn(base)) {
    if (typeof algorithm !== "string") yield { digest: null, blob: algorithm };
    else
      for (const prefix of sorted(namesIn(`${base}/${algorithm}`))) {
        if (position++ % count !== index) continue;
        if (typeof prefix !== "string") yield { digest: null, blob: prefix };
        else yield* readPrefix(`${base}/${algorithm}/${prefix}`, algorithm, prefix);
      }
  }
}

/** In the same order for the reader of another share. */
function sorted(names: Iterable<string | Unreadable>): readonly (string | Unreadable)[] {
  return [...names].sort();
}

/** How many blobs a store holds, about, from one of 256 directories. */
export function estimateBlobs(dataDirectory: string): number {
  const base = `${blobsPath(dataDirectory)}/sha256`;
  const prefixes = namesOf(base);
  return prefixes.length * namesOf(`${base}/${prefixes[0] ?? ""}`).length;
}

function namesOf(path: string): readonly string[] {
  return [...namesIn(path)].filter((name) => typeof name === "string");
}

function* readPrefix(directory: string, algorithm: string, prefix: string): Generator<BlobFact> {
  for (const hex of namesIn(directory)) {
    if (typeof hex !== "string") yield { digest: null, blob: hex };
    // Under another prefix than its own the registry would not find it.
    else if (hex.startsWith(prefix)) {
      const digest = digestFromNames(algorithm, hex);
      const blob = statFile(`${directory}/${hex}/data`);
      if (digest && blob.state !== "missing") yield { digest, blob };
    }
  }
}

/** A stray file where a directory should be holds no names, and is nothing that the registry would read. */
function* namesIn(path: string): Generator<string | Unreadable> {
  const names = listNames(path);
  if (!isUnreadable(names)) yield* names;
  else if (names.reason !== "ENOTDIR") yield names;
}
