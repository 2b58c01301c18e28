import { cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Digest, digestOf } from "../../../scripts/registry/digest.ts";
import {
  blobDataPath,
  layersPath,
  linkDirectory,
  revisionsPath,
  tagLinkPath,
  tagsPath,
} from "../../../scripts/registry/paths.ts";
import { type Content, isManifest } from "../images/oci-content.ts";
import { temporaryDirectory } from "../program.ts";

/** A store on disk: its files by what they mean, and ways to write them. */
export type Store = ReturnType<typeof storeAt>;

/** The store below a data directory, existing or not. Methods that write a blob return its digest. */
export function storeAt(directory: string) {
  const put = async (path: string, content: string | Uint8Array) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  };
  const blobData = (digest: Digest) => blobDataPath(directory, digest);
  const revisionLink = (repository: string, digest: Digest) =>
    join(linkDirectory(revisionsPath(directory, repository), digest), "link");
  const layerLink = (repository: string, digest: Digest) =>
    join(linkDirectory(layersPath(directory, repository), digest), "link");
  const tagLink = (repository: string, tag: string) => tagLinkPath(directory, repository, tag);
  /** The link that says that a tag once led to a digest. */
  const tagHistoryLink = (repository: string, tag: string, digest: Digest) =>
    join(linkDirectory(join(tagsPath(directory, repository), tag, "index"), digest), "link");

  const blob = async (content: string | Uint8Array): Promise<Digest> => {
    const digest = digestOf(Buffer.from(content));
    await put(blobData(digest), content);
    return digest;
  };
  const layer = async (repository: string, content: string | Uint8Array): Promise<Digest> => {
    const digest = await blob(content);
    await put(layerLink(repository, digest), digest);
    return digest;
  };
  const manifest = async (
    repository: string,
    document: object | string | Uint8Array,
    ...tags: string[]
  ): Promise<Digest> => {
    const isBytes = typeof document === "string" || document instanceof Uint8Array;
    const digest = await blob(isBytes ? document : JSON.stringify(document));
    await put(revisionLink(repository, digest), digest);
    for (const tag of tags) {
      await put(tagLink(repository, tag), digest);
      await put(tagHistoryLink(repository, tag, digest), digest);
    }
    return digest;
  };
  /** The files that the registry would write for a push of an image with everything below it. */
  const push = async (repository: string, content: Content, ...tags: string[]): Promise<Digest> => {
    for (const part of content.parts) await push(repository, part);
    if (isManifest(content)) return manifest(repository, content.bytes, ...tags);
    const digest = await layer(repository, content.bytes);
    await put(layerLink(repository, content.descriptor.digest), digest);
    return digest;
  };
  const links = { revisionLink, layerLink, tagLink, tagHistoryLink };
  return { directory, blobData, ...links, put, blob, layer, manifest, push };
}

/** An empty data root, and the store of its private registry. */
export async function privateStore() {
  const root = await temporaryDirectory();
  return { root, store: storeAt(join(root, "private")) };
}

/** Keeps a store as it is now; the function that is returned brings it back. */
export async function keepStore(directory: string): Promise<() => Promise<void>> {
  const kept = `${directory}.kept`;
  await cp(directory, kept, { recursive: true, verbatimSymlinks: true });
  return async () => {
    await rm(directory, { recursive: true, force: true });
    await cp(kept, `${directory}.new`, { recursive: true, verbatimSymlinks: true });
    await rename(`${directory}.new`, directory);
  };
}
