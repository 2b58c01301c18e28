import type { Digest } from "../registry/digest.ts";
import type { ChildDescriptor, Manifest } from "../registry/manifest.ts";
import { forEachBounded, stream } from "./bounded.ts";
import type { ManifestState } from "./source.ts";

/** How a walk reads. */
export interface ManifestWalk {
  readonly roots: Iterable<Digest>;
  /** Manifests that are read at a time. */
  readonly limit: number;
  readonly read: (digest: Digest) => Promise<ManifestState>;
  /** Whether an entry of an index whose media type does not say it is a blob. */
  readonly isBlob: (digest: Digest) => Promise<boolean>;
  /** Which children are followed. @default all */
  readonly wants?: (child: ChildDescriptor) => boolean;
}

/**
 * The given manifests and, level by level, those that they name: each once, also where indexes name each other in a
 * circle. Entries of an index that turn out to be blobs stand among its blobs.
 */
export async function walkManifests({
  roots,
  limit,
  read,
  isBlob,
  wants = () => true,
}: ManifestWalk): Promise<ReadonlyMap<Digest, ManifestState>> {
  const manifests = new Map<Digest, ManifestState>();
  for (let level = new Set(roots); level.size > 0; ) {
    const next = new Set<Digest>();
    await forEachBounded(stream(level), limit, async (digest) => {
      const found = await read(digest);
      const open = childrenOf(found).filter(({ mayBeBlob }) => mayBeBlob);
      const state = open.length === 0 ? found : await settleEntries(found, open, isBlob);
      manifests.set(digest, state);
      for (const child of childrenOf(state)) if (wants(child)) next.add(child.digest);
    });
    level = new Set([...next].filter((digest) => !manifests.has(digest)));
  }
  return manifests;
}

function childrenOf(state: ManifestState): readonly ChildDescriptor[] {
  return state.state === "parsed" ? state.manifest.children : [];
}

async function settleEntries(
  state: ManifestState,
  open: readonly ChildDescriptor[],
  isBlob: ManifestWalk["isBlob"],
): Promise<ManifestState> {
  if (state.state !== "parsed") return state;
  const blobs = new Set<Digest>();
  for (const { digest } of open) if (await isBlob(digest)) blobs.add(digest);
  return blobs.size === 0 ? state : { ...state, manifest: withBlobs(state.manifest, blobs) };
}

function withBlobs(manifest: Manifest, digests: ReadonlySet<Digest>): Manifest {
  const entries = manifest.children.filter(({ digest }) => digests.has(digest));
  const known = new Set(manifest.blobs.map(({ digest }) => digest));
  const blobs = entries
    .filter(({ digest }) => !known.has(digest))
    .map(({ digest, sizeBytes = null }) => ({ digest, role: "layer" as const, sizeBytes }));
  return {
    ...manifest,
    children: manifest.children.filter(({ digest }) => !digests.has(digest)),
    blobs: [...manifest.blobs, ...blobs],
  };
}
