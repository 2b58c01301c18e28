import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { nodeBinary } from "../lab/machine/paths.ts";
import { forEachBounded, stream } from "../scripts/source/bounded.ts";
import { type Content, image, index } from "../test/support/images/oci-content.ts";
import { startRegistry } from "../test/support/registry/registry.ts";

/** A real registry with tags; behind a proxy where each request is to be a little late. */
export interface ServedStore {
  /** `127.0.0.1:PORT` to ask. */
  readonly host: string;
  readonly tags: readonly Tag[];
  readonly dispose: () => Promise<void>;
}

/** An index of two platforms under a tag. */
interface Tag {
  readonly repository: string;
  readonly name: string;
  readonly content: Content;
}

interface StoreOptions {
  readonly tags: number;
  /** Whether the registry has a cache of blob descriptors. The deployed one has none. */
  readonly cachesBlobs: boolean;
  /** What a proxy adds to each request. @default 0, without a proxy */
  readonly latencyMilliseconds?: number;
}

const tagsOfARepository = 25;
const pushesInFlight = 16;

/** Starts it, and pushes the tags. */
export async function serveStore({
  tags: count,
  cachesBlobs,
  latencyMilliseconds = 0,
}: StoreOptions): Promise<ServedStore> {
  const registry = await startRegistry(undefined, { cachesBlobs });
  const tags = Array.from({ length: count }, (_, at) => tagAt(at));
  await forEachBounded(stream(tags), pushesInFlight, ({ content, repository, name }) =>
    registry.upload(content, repository, name),
  );
  const { host } = new URL(registry.url);
  if (latencyMilliseconds === 0) return { host, tags, dispose: registry.dispose };
  const proxy = spawn(
    nodeBinary,
    [join(import.meta.dirname, "delay-proxy.ts"), new URL(registry.url).port, String(latencyMilliseconds)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [port] = await once(createInterface({ input: proxy.stdout }), "line");
  const dispose = async () => {
    proxy.kill();
    await registry.dispose();
  };
  return { host: `127.0.0.1:${port}`, tags, dispose };
}

/** Starts a store, and takes it away when the work with it has ended. */
export async function withStore<T>(
  options: StoreOptions,
  work: (store: ServedStore) => Promise<T>,
): Promise<T> {
  const store = await serveStore(options);
  try {
    return await work(store);
  } finally {
    await store.dispose();
  }
}

function tagAt(at: number): Tag {
  const platforms = ["linux/amd64", "linux/arm64"].map((platform) => image(`${at} ${platform}`, platform));
  const repository = `bench${Math.floor(at / tagsOfARepository)}`;
  return { repository, name: String(at), content: index(platforms) };
}

/** A request: its path, and whether one byte of a blob is enough. */
export interface AskedPath {
  readonly path: string;
  readonly isBlob: boolean;
}

/** All that the check of a tag asks for: the index by its tag, two manifests, two configurations and two layers. */
export function requestsFor({ repository, name, content }: Tag): readonly AskedPath[] {
  const base = `/v2/${repository}`;
  const references = [name, ...content.parts.map(({ descriptor }) => descriptor.digest)];
  const blobs = content.parts.flatMap(({ parts }) => parts.map(({ descriptor }) => descriptor.digest));
  return [
    ...references.map((reference) => ({ path: `${base}/manifests/${reference}`, isBlob: false })),
    ...blobs.map((digest) => ({ path: `${base}/blobs/${digest}`, isBlob: true })),
  ];
}
