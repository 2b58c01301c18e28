import * as v from "valibot";
import type { ServedFacts } from "../graph/served-parts.ts";
import type { Digest } from "../registry/digest.ts";
import type { BlobDescriptor, ChildDescriptor } from "../registry/manifest.ts";
import { forEachBounded, stream } from "../source/bounded.ts";
import { followManifests } from "../source/follow-manifests.ts";
import type { HttpRegistry } from "../source/http/registry.ts";
import type { BlobState, LinkFact, ManifestState } from "../source/source.ts";

/** What an image is looked up by. */
export interface ImageName {
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: Digest | null;
}

/** Everything that was answered about one image. */
export interface ImageFacts {
  readonly served: ServedFacts;
  /** What was looked at; null when the name leads nowhere. */
  readonly root: Digest | null;
  /** Where the tag leads that stands beside a digest; null without both. */
  readonly besideDigest: Digest | null;
  /** Blobs that are other bytes than their digests stand for, of those that were fetched. */
  readonly altered: ReadonlySet<Digest>;
  /** By manifest, what its configuration says of its platform. */
  readonly configured: ReadonlyMap<Digest, string>;
}

export type ImageSource = Pick<HttpRegistry, "name" | "tag" | "manifest" | "blob" | "fetch" | "hash">;

export interface ReadOptions {
  readonly concurrency: number;
  /** Whether layers are fetched and hashed, or only asked for. */
  readonly download: boolean;
  /** Which entries of an index are followed. */
  readonly wants: (child: ChildDescriptor) => boolean;
}

/** Above this a configuration is none, and is only asked for, in bytes. */
const configLimitBytes = 4 * 1024 * 1024;

/** Asks for everything that one image needs; its platforms as its configurations say, where they were fetched. */
export async function readImage(
  source: ImageSource,
  name: ImageName,
  { concurrency, download, wants }: ReadOptions,
): Promise<ImageFacts> {
  const { repository } = name;
  const { tags, root, besideDigest } = await findRoot(source, name);
  const wanted = new Set(root ? [root] : []);
  const manifests = await followManifests(wanted, concurrency, async (digest) => {
    if (!wanted.has(digest)) return { state: "missing" };
    const state = await source.manifest(repository, digest);
    for (const child of childrenOf(state)) if (wants(child)) wanted.add(child.digest);
    return state;
  });
  const looked = new Map([...manifests].filter(([digest]) => wanted.has(digest)));
  const blobs = await readBlobs(source, repository, looked, { concurrency, download });
  return {
    served: { registry: source.name, repository, tags, manifests: looked, ...blobs },
    root,
    besideDigest,
    ...blobs,
  };
}

async function findRoot(source: ImageSource, { repository, tag, digest }: ImageName) {
  const link = tag === null ? undefined : await source.tag(repository, tag);
  const told = link?.state === "linked" ? link.digest : null;
  if (digest !== null) {
    const tags: readonly LinkFact[] = [{ name: tag ?? digest, link: { state: "linked", digest } }];
    return { tags, root: digest, besideDigest: told };
  }
  return { tags: link ? [{ name: tag, link }] : [], root: told, besideDigest: null };
}

function childrenOf(state: ManifestState): readonly ChildDescriptor[] {
  return state.state === "parsed" && state.manifest.type === "index" ? state.manifest.children : [];
}

async function readBlobs(
  source: ImageSource,
  repository: string,
  manifests: ReadonlyMap<Digest, ManifestState>,
  { concurrency, download }: Omit<ReadOptions, "wants">,
) {
  const blobs = new Map<Digest, BlobState>();
  const altered = new Set<Digest>();
  const platforms = new Map<Digest, string>();
  const named = [...manifests.values()].flatMap(blobsOf);
  const wanted = new Map(named.map((blob) => [blob.digest, blob]));
  await forEachBounded(stream(wanted.values()), concurrency, async (blob) => {
    const { digest } = blob;
    const isConfig = blob.role === "config" && (blob.sizeBytes ?? 0) <= configLimitBytes;
    if (!isConfig && !download) return void blobs.set(digest, await source.blob(repository, digest));
    const fetched = await (isConfig ? source.fetch(repository, digest) : source.hash(repository, digest));
    if (fetched.state === "altered") altered.add(digest);
    const platform = fetched.state === "fetched" && isConfig ? platformOf(fetched.content) : undefined;
    if (platform !== undefined) platforms.set(digest, platform);
    const isThere = fetched.state === "fetched" || fetched.state === "altered";
    blobs.set(digest, isThere ? { state: "present", sizeBytes: fetched.sizeBytes } : fetched);
  });
  const configured = new Map(
    [...manifests].flatMap(([digest, state]) =>
      blobsOf(state).flatMap((blob) => {
        const platform = platforms.get(blob.digest);
        return blob.role === "config" && platform !== undefined ? [[digest, platform] as const] : [];
      }),
    ),
  );
  return { blobs, altered, configured };
}

function blobsOf(state: ManifestState): readonly BlobDescriptor[] {
  return state.state === "parsed" && state.manifest.type === "image" ? state.manifest.blobs : [];
}

const configSchema = v.object({
  os: v.pipe(v.string(), v.nonEmpty()),
  architecture: v.pipe(v.string(), v.nonEmpty()),
  variant: v.optional(v.string(), ""),
});

/** `os/architecture[/variant]` of a configuration; undefined of one that is no image's. */
function platformOf(content: Uint8Array): string | undefined {
  try {
    const { os, architecture, variant } = v.parse(
      configSchema,
      JSON.parse(new TextDecoder().decode(content)),
    );
    return [os, architecture, variant].filter((part) => part !== "").join("/");
  } catch {
    return undefined;
  }
}
