import { type Digest, isDigestOfNothing } from "../registry/digest.ts";
import { type BlobDescriptor, type Manifest, parseManifest } from "../registry/manifest.ts";
import type { Unreadable } from "../source/source.ts";
import type { Holding, ImageNode, LinkHolding, Offer, Part } from "./facts.ts";
import type { Holdings } from "./holdings.ts";
import type { Origin } from "./origins/origin.ts";

/** Deeper than anybody nests indexes; ends what only an attacker would build. */
const nestingLimit = 32;

/** What is asked about one repository while its images are read. */
export interface RepositoryView {
  readonly repository: string;
  readonly holdings: Holdings;
  readonly revisionLink: (digest: Digest) => LinkHolding;
  readonly layerLink: (digest: Digest) => LinkHolding;
  readonly origins: readonly Origin[];
  /** Whether a scan that reads bytes has found other ones: then an image that seems whole is not. */
  readonly isSuspect: (digest: Digest) => boolean;
  /** Told of an origin that could not be asked. */
  readonly onFault: (origin: Origin, fault: Unreadable) => void;
}

/** Reads images of one repository, each manifest once. */
export function createImageReader(view: RepositoryView): (root: Digest) => Promise<ImageNode> {
  const known = new Map<Digest, Promise<ImageNode>>();
  const read = (digest: Digest, depth: number): Promise<ImageNode> => {
    const reading = known.get(digest) ?? readNode(view, digest, depth, read);
    known.set(digest, reading);
    return reading;
  };
  return (root) => read(root, 0);
}

type ReadBelow = (digest: Digest, depth: number) => Promise<ImageNode>;

async function readNode(
  view: RepositoryView,
  digest: Digest,
  depth: number,
  readBelow: ReadBelow,
): Promise<ImageNode> {
  const { holding, manifest: own } = await view.holdings.ofManifest(digest);
  const found = own ? undefined : await fetchManifest(view, digest, holding);
  const part: Part = {
    digest,
    role: "manifest",
    holding,
    link: view.revisionLink(digest),
    offers: found?.offers ?? [],
  };
  const manifest = own ?? found?.manifest;
  if (!manifest || depth >= nestingLimit)
    return { digest, type: "unknown", own: part, blobs: [], children: [] };
  const blobs = await readBlobs(view, manifest.blobs, part);
  if (manifest.type === "index") {
    const children: ImageNode["children"][number][] = [];
    for (const { digest: child, platform, sizeBytes: expectedBytes = null } of manifest.children)
      children.push({ platform, expectedBytes, node: await readBelow(child, depth + 1) });
    return { digest, type: "index", own: part, blobs, children };
  }
  return { digest, type: "image", own: part, blobs, children: [] };
}

/** Where one part of an image is lost, the others are proven too: a link must lead to something whole. */
async function readBlobs(
  view: RepositoryView,
  descriptors: readonly BlobDescriptor[],
  own: Part,
): Promise<readonly Part[]> {
  const look = async (isDeep: (digest: Digest) => boolean): Promise<Part[]> => {
    const parts: Part[] = [];
    for (const { digest, role, sizeBytes } of descriptors) {
      const holding = await view.holdings.ofBlob(digest, sizeBytes, isDeep(digest));
      parts.push({ digest, role, holding, link: view.layerLink(digest), offers: [] });
    }
    return parts;
  };
  const parts = await look(view.isSuspect);
  if ([own, ...parts].every(isWhole)) return parts;
  return addOffers(view, await look(() => true), descriptors);
}

function isWhole({ holding, link }: Part): boolean {
  return holding.state === "good" && link.state === "linked";
}

async function addOffers(
  view: RepositoryView,
  parts: readonly Part[],
  descriptors: readonly BlobDescriptor[],
): Promise<readonly Part[]> {
  const sizes = new Map(descriptors.map(({ digest, sizeBytes }) => [digest, sizeBytes]));
  const offered: Part[] = [];
  for (const part of parts) {
    const isLost = part.holding.state === "missing" || part.holding.state === "damaged";
    const offers = isLost ? await findOffers(view, part.digest, sizes.get(part.digest) ?? null) : [];
    offered.push({ ...part, offers });
  }
  return offered;
}

async function findOffers(
  view: RepositoryView,
  digest: Digest,
  expectedBytes: number | null,
): Promise<readonly Offer[]> {
  const offers: Offer[] = [];
  // Nobody needs to be asked for nothing, and no server has a part of it.
  if (isDigestOfNothing(digest)) return offers;
  for (const origin of view.origins) {
    const repository = origin.repositoryFor(view.repository);
    const size = await origin.sizeOf(repository, digest);
    if (size.state === "unreadable") view.onFault(origin, size);
    if (size.state !== "present") continue;
    const { sizeBytes } = size;
    if (expectedBytes === null || sizeBytes === expectedBytes)
      offers.push({ origin: origin.label, repository, sizeBytes });
  }
  return offers;
}

/** A manifest that the store lost, from the first who has it: without it nobody knows what else is needed. */
async function fetchManifest(
  view: RepositoryView,
  digest: Digest,
  holding: Holding,
): Promise<{ readonly manifest: Manifest; readonly offers: readonly Offer[] } | undefined> {
  if (holding.state !== "missing" && holding.state !== "damaged") return undefined;
  for (const origin of view.origins) {
    const repository = origin.repositoryFor(view.repository);
    const found = await origin.manifest(repository, digest);
    if (found.state === "unreadable") view.onFault(origin, found);
    if (found.state !== "read") continue;
    const manifest = parseManifest(found.content);
    if (manifest.type === "fault") continue;
    const offers = [{ origin: origin.label, repository, sizeBytes: found.content.byteLength }];
    return { manifest, offers };
  }
  return undefined;
}
