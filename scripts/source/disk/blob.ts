import type { Digest } from "../../registry/digest.ts";
import { blobDataPath, blobsPath, digestFromNames } from "../../registry/paths.ts";
import type { BlobFact, BlobState, Unreadable } from "../source.ts";
import { isUnreadable, listNames, statFile } from "./files.ts";

/** Whether one blob is there now. */
export function readBlob(dataDirectory: string, digest: Digest): BlobState {
  return statFile(blobDataPath(dataDirectory, digest));
}

/** All blobs with their sizes. A blob's directory without data, or under a name that is no digest, is none. */
export async function* readBlobs(dataDirectory: string): AsyncGenerator<BlobFact> {
  const base = blobsPath(dataDirectory);
  for (const algorithm of namesIn(base)) {
    if (typeof algorithm !== "string") yield { digest: null, blob: algorithm };
    else
      for (const prefix of namesIn(`${base}/${algorithm}`)) {
        if (typeof prefix !== "string") yield { digest: null, blob: prefix };
        else yield* readPrefix(`${base}/${algorithm}/${prefix}`, algorithm, prefix);
      }
  }
}

function* readPrefix(directory: string, algorithm: string, prefix: string): Generator<BlobFact> {
  for (const hex of namesIn(directory)) {
    if (typeof hex !== "string") yield { digest: null, blob: hex };
    // Under another prefix than its own nobody would find it.
    else if (hex.startsWith(prefix)) {
      const digest = digestFromNames(algorithm, hex);
      const blob = statFile(`${directory}/${hex}/data`);
      if (digest && blob.state !== "missing") yield { digest, blob };
    }
  }
}

/** A stray file where a directory should be holds no names, and is nothing that the registry would look at. */
function* namesIn(path: string): Generator<string | Unreadable> {
  const names = listNames(path);
  if (!isUnreadable(names)) yield* names;
  else if (names.reason !== "ENOTDIR") yield names;
}
