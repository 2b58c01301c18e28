import { createReadStream } from "node:fs";
import { type Digest, isDigestOf } from "../../registry/digest.ts";
import { manifestSizeLimitBytes } from "../../registry/manifest.ts";
import { blobDataPath } from "../../registry/paths.ts";
import { readWhole, statFile, unreadable } from "../../source/disk/files.ts";
import { isFileOf } from "../../source/disk/verified-blob.ts";
import type { Origin, Size } from "./origin.ts";

/** Another registry of the same data root, such as a cache that once fetched the same layer. */
export function localOrigin(name: string, dataDirectory: string): Origin {
  return {
    label: name,
    repositoryFor: (repository) => repository,
    sizeOf: async (_repository, digest) => sizeOf(blobDataPath(dataDirectory, digest), digest),
    manifest: async (_repository, digest) => {
      const location = blobDataPath(dataDirectory, digest);
      const found = await statFile(location);
      // What is no manifest's size is no manifest; nobody needs to be told, as this is only one place of several.
      if (found.state !== "present" || found.sizeBytes > manifestSizeLimitBytes)
        return found.state === "unreadable" ? found : { state: "missing" };
      const file = await readWhole(location, manifestSizeLimitBytes);
      if (file.state === "read" && !isDigestOf(digest, file.content)) return { state: "missing" };
      return file;
    },
    read: (_repository, digest) =>
      createReadStream(blobDataPath(dataDirectory, digest), { highWaterMark: 1024 * 1024 }),
  };
}

/** Read to its end even for a plan: what is damaged there as well must not be promised. */
async function sizeOf(location: string, digest: Digest): Promise<Size> {
  const found = statFile(location);
  if (found.state !== "present") return found;
  try {
    return (await isFileOf(location, digest)) ? found : { state: "missing" };
  } catch (error) {
    return unreadable(location, error);
  }
}
