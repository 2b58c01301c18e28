import { join } from "node:path";
import type { Digest } from "../registry/digest.ts";
import { layersPath, linkDirectory, revisionsPath } from "../registry/paths.ts";
import { readLink } from "../source/disk/link.ts";
import type { DiskSource } from "../source/disk/registry.ts";

/** What a repository lacks of a manifest and all below it, as half a sentence; undefined when it serves all of it. */
export async function findMissing(
  source: DiskSource,
  repository: string,
  root: Digest,
): Promise<string | undefined> {
  const linked = (base: string, digest: Digest) => {
    const link = readLink(join(linkDirectory(base, digest), "link"));
    return link?.state === "linked" ? link.digest : undefined;
  };
  const revisions = revisionsPath(source.dataDirectory, repository);
  const layers = layersPath(source.dataDirectory, repository);
  const seen = new Set<Digest>();
  const waiting = [root];
  for (let digest = waiting.pop(); digest; digest = waiting.pop()) {
    if (seen.has(digest)) continue;
    seen.add(digest);
    const canonical = linked(revisions, digest);
    const state = canonical && (await source.manifest(repository, canonical));
    if (state?.state !== "parsed") {
      // An entry of an index may be a blob.
      const blob = digest === root ? undefined : linked(layers, digest);
      if (blob && (await source.blob(repository, blob)).state === "present") continue;
      return `the manifest ${digest} is ${canonical ? (state?.state ?? "missing") : "not linked"}`;
    }
    for (const child of state.manifest.children) waiting.push(child.digest);
    for (const one of state.manifest.blobs) {
      const blob = linked(layers, one.digest);
      if (!blob) return `the blob ${one.digest} is not linked`;
      const found = await source.blob(repository, blob);
      if (found.state !== "present") return `the blob ${one.digest} is ${found.state}`;
    }
  }
  return undefined;
}
