import { once } from "node:events";
import { closeSync, ftruncateSync, linkSync, mkdirSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type Digest, digestOf } from "../scripts/registry/digest.ts";
import { mediaTypes } from "../scripts/registry/media-types.ts";
import {
  blobDataPath,
  blobDirectory,
  blobsPath,
  layersPath,
  linkDirectory,
  revisionsPath,
  tagLinkPath,
  tagsPath,
} from "../scripts/registry/paths.ts";

/** Tags, and so images, of a repository. */
const usualTags = 20;
/** Layers of an image: its own, and those that it shares with its neighbours. */
const ownLayers = 4;
const sharedLayers = 4;
/** Repositories that share their bases. */
const groups = 10;
const layerBytes = 30_000_000;
const configBytes = 1470;

/** Blobs of one image that no other has, and its links but those of the shared layers, which a repository has once. */
const blobsOfImage = 1 + 1 + ownLayers;
const linksOfImage = 1 + ownLayers + 3;

/** What one thread writes: of `to - from` numbered things every `step`th. */
interface Task {
  readonly what: "repositories" | "blobs";
  readonly directory: string;
  /** Of each repository. */
  readonly tags: number;
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

/**
 * Writes a healthy store of about `target` files, as CI leaves it: images of eight layers, half of them shared. Blobs are
 * sparse, since they are not read; links and manifests are real. Returns the number of files.
 */
export async function writeSyntheticStore(
  directory: string,
  target: number,
  tags = usualTags,
): Promise<number> {
  const filesOfRepository = tags * (blobsOfImage + linksOfImage) + sharedLayers;
  const repositories = Math.max(1, Math.round((target - groups * sharedLayers) / filesOfRepository));
  mkdirSync(`${blobsPath(directory)}/sha256`, { recursive: true });
  for (let prefix = 0; prefix < 256; prefix++)
    mkdirSync(`${blobsPath(directory)}/sha256/${prefix.toString(16).padStart(2, "0")}`);
  const usedGroups = Math.min(groups, repositories);
  for (let group = 0; group < usedGroups; group++)
    for (const layer of baseLayers(group)) putSparse(blobDataPath(directory, layer), layerBytes);
  await writeInThreads({ what: "repositories", directory, tags, from: 0, to: repositories });
  return repositories * filesOfRepository + usedGroups * sharedLayers;
}

/**
 * Adds names of blobs that no repository links. All of them lead to one file of one byte through a symbolic link with
 * many names, so that a million costs a minute and no room on the disk.
 */
export async function addUnlinkedBlobs(directory: string, count: number): Promise<void> {
  putSparse(join(directory, oneBlob, "data"), 1);
  await writeInThreads({ what: "blobs", directory, tags: 0, from: 0, to: count });
}

const oneBlob = "one-blob";
/** Names that ext4 gives to one file at most, less a few. */
const namesOfFile = 60_000;

async function writeInThreads(whole: Omit<Task, "step">): Promise<void> {
  const { directory } = whole;
  const step = availableParallelism();
  const threads = Array.from({ length: step }, async (_, thread) => {
    const task: Task = { ...whole, from: whole.from + thread, step };
    const [code] = await once(new Worker(import.meta.filename, { workerData: task }), "exit");
    if (code !== 0) throw new Error(`a thread that writes ${directory} ended with ${code}`);
  });
  await Promise.all(threads);
}

function perform({ what, directory, tags, from, to, step }: Task): void {
  if (what === "blobs") linkBlobs(directory, from, to, step);
  else for (let number = from; number < to; number += step) writeRepository(directory, number, tags);
}

function linkBlobs(directory: string, from: number, to: number, step: number): void {
  let names = 0;
  let first = "";
  for (let number = from; number < to; number += step) {
    const path = blobDirectory(directory, digestOf(Buffer.from(`unlinked ${number}`)));
    if (names++ % namesOfFile !== 0) linkSync(first, path);
    else {
      symlinkSync(join("../../../../../..", oneBlob), path);
      first = path;
    }
  }
}

function writeRepository(directory: string, number: number, tagsOfEach: number): void {
  const group = number % groups;
  const repository = `group${group}/app${number}`;
  const layers = layersPath(directory, repository);
  const revisions = revisionsPath(directory, repository);
  const tags = tagsPath(directory, repository);
  for (const path of [`${layers}/sha256`, `${revisions}/sha256`, tags]) mkdirSync(path, { recursive: true });
  const bases = baseLayers(group);
  for (const layer of bases) putLink(linkDirectory(layers, layer), layer);
  for (let tag = 0; tag < tagsOfEach; tag++) {
    const own = named(ownLayers, (position) => `layer ${number} ${tag} ${position}`);
    const [config = digestOf(new Uint8Array())] = named(1, () => `config ${number} ${tag}`);
    const text = manifestOf(config, [...bases, ...own]);
    const manifest = digestOf(Buffer.from(text));
    for (const layer of own) putSparse(blobDataPath(directory, layer), layerBytes);
    putSparse(blobDataPath(directory, config), configBytes);
    for (const digest of [config, ...own]) putLink(linkDirectory(layers, digest), digest);
    putText(blobDataPath(directory, manifest), text);
    putLink(linkDirectory(revisions, manifest), manifest);
    for (const path of ["", "/index", "/index/sha256"]) mkdirSync(`${tags}/v${tag}${path}`);
    putLink(linkDirectory(`${tags}/v${tag}/index`, manifest), manifest);
    putText(tagLinkPath(directory, repository, `v${tag}`), manifest);
  }
}

function putLink(directory: string, digest: Digest): void {
  putText(`${directory}/link`, digest);
}

/** The file, in a directory of its own that does not exist yet. */
function putText(path: string, text: string): void {
  mkdirSync(dirname(path));
  writeFileSync(path, text);
}

function putSparse(path: string, sizeBytes: number): void {
  mkdirSync(dirname(path));
  const file = openSync(path, "w");
  ftruncateSync(file, sizeBytes);
  closeSync(file);
}

function baseLayers(group: number): readonly Digest[] {
  return named(sharedLayers, (position) => `base ${group} ${position}`);
}

function named(count: number, name: (position: number) => string): readonly Digest[] {
  return Array.from({ length: count }, (_, position) => digestOf(Buffer.from(name(position))));
}

function manifestOf(config: Digest, layers: readonly Digest[]): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config, size: configBytes },
    layers: layers.map((digest) => ({ mediaType: mediaTypes.ociLayer, digest, size: layerBytes })),
  });
}

if (!isMainThread && parentPort) perform(workerData as Task);
