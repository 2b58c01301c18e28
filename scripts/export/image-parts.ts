import type { Digest } from "../registry/digest.ts";
import { collect } from "../source/bounded.ts";
import type { DiskSource } from "../source/disk/registry.ts";
import { canonicalDigests } from "../source/facts.ts";
import type { LinkState, ManifestState } from "../source/source.ts";
import { walkManifests } from "../source/walk-manifests.ts";
import type { TaggedImage } from "./args.ts";
import { damaged, type Fault, unreadable } from "./fault.ts";

/** One file of an image. */
export interface Part {
  readonly digest: Digest;
  /** Under which the store keeps it: another where it was pushed by another algorithm. */
  readonly storedAs: Digest;
  readonly role: "manifest" | "blob";
}

/** Everything that an image needs, or why that is not known. */
export interface ImageParts {
  /** What its tag points at; undefined with a fault. */
  readonly root: Digest | undefined;
  readonly parts: readonly Part[];
  readonly faults: readonly Fault[];
}

const manifestsAtATime = 8;

/** The manifests of an image at any depth, and the blobs that they name. Whether the blobs are there is not checked. */
export async function readImageParts(
  source: DiskSource,
  { repository, tag }: TaggedImage,
): Promise<ImageParts> {
  const tags = await collect(source.tags(repository));
  const link = tags.find(({ name }) => name === tag)?.link ?? tags.find(({ name }) => name === null)?.link;
  if (link?.state !== "linked") return { root: undefined, parts: [], faults: [linkFault(link)] };
  const revisions = await collect(source.revisions(repository));
  const layerLinks = await collect(source.layerLinks(repository));
  const storedAs = canonicalDigests({ revisions, layerLinks });
  const read = (digest: Digest) => source.manifest(repository, storedAs(digest));
  const manifests = await walkManifests({
    roots: [link.digest],
    limit: manifestsAtATime,
    read,
    isBlob: async (digest) => isUnparsable(await read(digest)),
  });
  const named = [...manifests.values()].flatMap((state) =>
    state.state === "parsed" ? state.manifest.blobs.map(({ digest }) => digest) : [],
  );
  const blobs = new Set(named.filter((digest) => !manifests.has(digest)));
  const part = (role: Part["role"]) => (digest: Digest) => ({ digest, storedAs: storedAs(digest), role });
  return {
    root: link.digest,
    parts: [...[...manifests.keys()].map(part("manifest")), ...[...blobs].map(part("blob"))],
    faults: [...manifests].flatMap(([digest, state]) => manifestFault(digest, state)),
  };
}

const isUnparsable = (state: ManifestState) => state.state === "unreadable" && state.isUnparsable === true;

function linkFault(link: Exclude<LinkState, { readonly state: "linked" }> | undefined): Fault {
  switch (link?.state) {
    case undefined:
      return damaged("the store has no such tag");
    case "missing":
      return damaged(`the tag's link is missing: ${link.location}`);
    case "invalid":
      return damaged(`the tag's link ${link.location} ${link.reason}`);
    case "unreadable":
      return unreadable(`cannot read ${link.location}: ${link.reason}`);
  }
}

function manifestFault(digest: Digest, state: ManifestState): readonly Fault[] {
  switch (state.state) {
    case "parsed":
      return [];
    case "unreadable":
      return [
        state.isUnparsable
          ? damaged(`manifest ${digest} ${state.reason}`)
          : unreadable(`cannot read ${state.location}: ${state.reason}`),
      ];
    case "invalid":
      return [damaged(`manifest ${digest}: ${state.location} ${state.reason}`)];
    default:
      return [damaged(`manifest ${digest} is ${state.state}`)];
  }
}
