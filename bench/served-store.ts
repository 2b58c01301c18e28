import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { nodeBinary } from "../lab/machine/paths.ts";
import { sendOnce } from "../scripts/http/exchange.ts";
import { forEachBounded, stream } from "../scripts/source/bounded.ts";
import { type Content, image, index } from "../test/support/oci-content.ts";
import { type Registry, startRegistry } from "../test/support/registry.ts";

/** A real registry with tags, behind a proxy that makes each request a little late. */
export interface ServedStore {
  /** `127.0.0.1:PORT` of the proxy. */
  readonly host: string;
  readonly tags: readonly Tag[];
  readonly dispose: () => Promise<void>;
}

/** An index of two platforms under a tag; eight requests look at all of it. */
interface Tag {
  readonly repository: string;
  readonly name: string;
  readonly content: Content;
}

export const latencyMilliseconds = 5;
const tagsOfARepository = 25;
const pushesInFlight = 16;

/** Starts both, and pushes so many tags. */
export async function serveStore(count: number): Promise<ServedStore> {
  const registry = await startRegistry(undefined, { cachesBlobs: true });
  const tags = Array.from({ length: count }, (_, at) => tagAt(at));
  await forEachBounded(stream(tags), pushesInFlight, (tag) => push(registry, tag));
  const proxy = spawn(
    nodeBinary,
    [join(import.meta.dirname, "delay-proxy.ts"), new URL(registry.url).port, String(latencyMilliseconds)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: proxy.stdout });
  const [port] = await once(lines, "line");
  const dispose = async () => {
    proxy.kill();
    await registry.dispose();
  };
  return { host: `127.0.0.1:${port}`, tags, dispose };
}

function tagAt(at: number): Tag {
  const platforms = ["linux/amd64", "linux/arm64"].map((platform) => image(`${at} ${platform}`, platform));
  const repository = `bench${Math.floor(at / tagsOfARepository)}`;
  return { repository, name: String(at), content: index(platforms) };
}

/** All that a look at a tag asks for, as method and path. */
export function requestsFor({ repository, name, content }: Tag): readonly (readonly [string, string])[] {
  const base = `/v2/${repository}`;
  const manifests = [content, ...content.parts].map(
    ({ descriptor }) => `${base}/manifests/${descriptor.digest}`,
  );
  const blobs = content.parts.flatMap(({ parts }) =>
    parts.map((part) => `${base}/blobs/${part.descriptor.digest}`),
  );
  return [
    ["HEAD", `${base}/manifests/${name}`],
    ...manifests.map((path) => ["GET", path] as const),
    ...blobs.map((path) => ["HEAD", path] as const),
  ];
}

async function push({ url }: Registry, { repository, name, content }: Tag): Promise<void> {
  const base = `${url}/v2/${repository}`;
  for (const child of content.parts) {
    for (const { descriptor, bytes } of child.parts) {
      const start = await sendOnce(`${base}/blobs/uploads/`, { method: "POST" });
      const upload = new URL(start.headers.get("location") ?? "", url);
      upload.searchParams.set("digest", descriptor.digest);
      const headers = { "content-type": "application/octet-stream" };
      await expectCreated(upload.href, headers, bytes);
    }
    await putManifest(`${base}/manifests/${child.descriptor.digest}`, child);
  }
  await putManifest(`${base}/manifests/${name}`, content);
}

function putManifest(url: string, { descriptor, bytes }: Content): Promise<void> {
  return expectCreated(url, { "content-type": descriptor.mediaType }, bytes);
}

async function expectCreated(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const { status } = await sendOnce(url, { method: "PUT", headers, body });
  if (status !== 201) throw new Error(`PUT ${url} answered ${status}`);
}
