import * as v from "valibot";
import type { Digest } from "../registry/digest.ts";
import type { BlobDescriptor, ChildDescriptor } from "../registry/manifest.ts";
import type { RepositoryFacts } from "./facts.ts";
import type { HttpRegistry } from "./http/registry.ts";
import { readServedFacts } from "./read-served.ts";
import type { BlobState, LinkFact } from "./source.ts";

/** The name of an image within its registry. */
export interface ImageName {
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: Digest | null;
}

/** Everything that was answered about one image. */
export interface ImageFacts {
  readonly served: RepositoryFacts;
  /** The manifest that was checked; null when the name leads nowhere. */
  readonly root: Digest | null;
  /** Where the tag leads that stands beside a digest; null without both. */
  readonly besideDigest: Digest | null;
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
  const { tags, root, roots, besideDigest } = await findRoot(source, name);
  const platforms = new Map<Digest, string>();
  const blob = (part: BlobDescriptor) => readBlob(source, repository, { part, download, platforms });
  const served = await readServedFacts(source, repository, { tags, roots, limit: concurrency, wants, blob });
  return { served, root, besideDigest, configured: configuredPlatforms(served, platforms) };
}

async function findRoot(source: ImageSource, { repository, tag, digest }: ImageName) {
  const fact = tag === null ? undefined : await source.tag(repository, tag);
  const led = fact?.link.state === "linked" ? fact.link.digest : null;
  // With a digest the tag beside it is compared, and not followed.
  if (digest !== null) return { tags: [], roots: [digest], root: digest, besideDigest: led };
  const tags: readonly LinkFact[] = fact ? [fact] : [];
  return { tags, roots: [], root: led, besideDigest: null };
}

async function readBlob(
  source: ImageSource,
  repository: string,
  {
    part: { digest, role, sizeBytes },
    download,
    platforms,
  }: {
    readonly part: BlobDescriptor;
    readonly download: boolean;
    readonly platforms: Map<Digest, string>;
  },
): Promise<BlobState> {
  const isConfig = role === "config" && (sizeBytes ?? 0) <= configLimitBytes;
  if (!isConfig && !download) return source.blob(repository, digest);
  const fetched = await (isConfig ? source.fetch(repository, digest) : source.hash(repository, digest));
  if (fetched.state === "altered") return { state: "present", sizeBytes: fetched.sizeBytes, isAltered: true };
  if (fetched.state !== "fetched") return fetched;
  const platform = isConfig ? platformOf(fetched.content) : undefined;
  if (platform !== undefined) platforms.set(digest, platform);
  return { state: "present", sizeBytes: fetched.sizeBytes, isAltered: false };
}

/** The platforms of images; an index says its own, and a configuration among its entries is a cache's. */
function configuredPlatforms(
  { manifests }: RepositoryFacts,
  platforms: ReadonlyMap<Digest, string>,
): ReadonlyMap<Digest, string> {
  const configured = new Map<Digest, string>();
  for (const [digest, state] of manifests) {
    if (state.state !== "parsed" || state.manifest.type !== "image") continue;
    for (const blob of state.manifest.blobs) {
      const platform = blob.role === "config" ? platforms.get(blob.digest) : undefined;
      if (platform !== undefined) configured.set(digest, platform);
    }
  }
  return configured;
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
