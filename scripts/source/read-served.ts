import type { Digest } from "../registry/digest.ts";
import type { BlobDescriptor, ChildDescriptor } from "../registry/manifest.ts";
import { forEachBounded, stream } from "./bounded.ts";
import type { RepositoryFacts } from "./facts.ts";
import type { BlobState, LinkFact, ManifestState, RegistrySource } from "./source.ts";
import { walkManifests } from "./walk-manifests.ts";

/** What is asked about one repository, and how. */
export interface ServedQuestion {
  readonly tags: readonly LinkFact[];
  /** Manifests to ask for by their digests. @default none */
  readonly roots?: readonly Digest[];
  /** Requests at a time. */
  readonly limit: number;
  /** Which children are followed. @default all */
  readonly wants?: (child: ChildDescriptor) => boolean;
  /** How a blob is checked. @default by the source */
  readonly blob?: (blob: BlobDescriptor) => Promise<BlobState>;
}

/** Asks a registry for everything that some tags and manifests of one repository need, each digest once. */
export async function readServedFacts(
  source: Pick<RegistrySource, "name" | "manifest" | "blob">,
  repository: string,
  { tags, roots = [], limit, wants, blob = ({ digest }) => source.blob(repository, digest) }: ServedQuestion,
): Promise<RepositoryFacts> {
  const known = new Map<Digest, ManifestState>();
  const starts = new Set(roots);
  for (const { link, manifest } of tags) {
    if (link.state !== "linked") continue;
    starts.add(link.digest);
    if (manifest) known.set(link.digest, manifest);
  }
  const blobs = new Map<Digest, BlobState>();
  const manifests = await walkManifests({
    roots: starts,
    limit,
    read: async (digest) => known.get(digest) ?? source.manifest(repository, digest),
    isBlob: async (digest) => {
      const state = await blob({ digest, role: "layer", sizeBytes: null });
      if (state.state === "present") blobs.set(digest, state);
      return state.state === "present";
    },
    ...(wants && { wants }),
  });
  const named = new Map(
    [...manifests.values()].flatMap((state) =>
      state.state === "parsed" ? state.manifest.blobs.map((part) => [part.digest, part] as const) : [],
    ),
  );
  await forEachBounded(stream(named.values()), limit, async (descriptor) => {
    if (!blobs.has(descriptor.digest)) blobs.set(descriptor.digest, await blob(descriptor));
  });
  return { registry: source.name, repository, tags, roots, manifests, blob: (digest) => blobs.get(digest) };
}
