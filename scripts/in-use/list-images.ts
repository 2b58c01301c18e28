import { type Digest, parseDigest } from "../registry/digest.ts";
import { formatReference, parseReference, type Reference, withDefaultHost } from "../registry/reference.ts";
import type { ImageUse } from "./collect-uses.ts";
import { workloadName } from "./owners.ts";
import type { PulledImage } from "./pulled-images.ts";

type FullReference = Reference & { readonly host: string };

/** One image of an asked registry, with all that names it. */
export interface ListedImage {
  readonly image: string;
  readonly reference: FullReference;
  readonly uses: readonly ImageUse[];
  /** What nodes pulled of it. */
  readonly digests: ReadonlySet<Digest>;
}

export interface UnparsableImage {
  readonly image: string;
  /** Half a sentence. */
  readonly reason: string;
}

/** The images of a cluster: those of the asked registries apart from the rest. */
export interface ImageList {
  readonly listed: readonly ListedImage[];
  /** Images of other registries that workloads name. */
  readonly others: number;
  /** Names that are no image: no node can pull those. */
  readonly unparsable: readonly UnparsableImage[];
}

interface Entry extends ListedImage {
  readonly uses: ImageUse[];
  readonly digests: Set<Digest>;
}

/** Sorts what workloads and pods name by image. */
export function listImages(
  uses: readonly ImageUse[],
  pulled: readonly PulledImage[],
  registries: ReadonlySet<string>,
): ImageList {
  const entries: Entry[] = [];
  const unparsable: UnparsableImage[] = [];
  let others = 0;
  for (const [image, own] of Map.groupBy(uses, (use) => use.image)) {
    const parsed = parseReference(image);
    if ("reason" in parsed) unparsable.push({ image, reason: parsed.reason });
    else if (!registries.has(withDefaultHost(parsed).host)) others += 1;
    else entries.push({ image, reference: withDefaultHost(parsed), uses: [...own], digests: new Set() });
  }
  addPulled(entries, pulled, registries);
  entries.sort((a, b) => (a.image < b.image ? -1 : 1));
  return { listed: entries, others, unparsable };
}

/** Gives the digests to the images that they were pulled for, and lists what only the nodes name. */
function addPulled(entries: Entry[], pulled: readonly PulledImage[], registries: ReadonlySet<string>): void {
  const byName = Map.groupBy(entries, ({ reference }) => nameKey(reference));
  const contents = new Set<string>();
  const add = (image: string, reference: FullReference, { workload, platforms, origin }: PulledImage) => {
    const key = nameKey(reference);
    const own = byName.get(key) ?? [{ image, reference, uses: [], digests: new Set<Digest>() }];
    if (!byName.has(key)) entries.push(...own);
    byName.set(key, own);
    for (const { uses, digests } of own) {
      digests.add(origin.digest);
      if (!uses.some((use) => workloadName(use.workload) === workloadName(workload)))
        uses.push({ image, workload, platforms, needsAll: false, isNeeded: false });
    }
    contents.add(contentKey({ ...reference, digest: origin.digest }));
  };
  for (const one of pulled)
    for (const image of new Set([one.image, one.nodeImage])) {
      const reference = readName(image);
      if (reference && registries.has(reference.host)) add(image, reference, one);
    }
  for (const one of pulled)
    if (registries.has(one.origin.host) && !contents.has(contentKey(one.origin)))
      add(formatReference(one.origin), one.origin, one);
}

/** Undefined also for the bare identifier that a node gives an image without a name. */
function readName(image: string): FullReference | undefined {
  const parsed = parseDigest(image) ? undefined : parseReference(image);
  return parsed && !("reason" in parsed) ? withDefaultHost(parsed) : undefined;
}

/** The same for names that a node resolves alike: with a digest it does not ask for the tag. */
function nameKey({ host, repository, tag, digest }: FullReference): string {
  return `${host}/${repository}${digest === null ? `:${tag ?? "latest"}` : `@${digest}`}`;
}

function contentKey({ host, repository, digest }: FullReference): string {
  return `${host}/${repository}@${digest}`;
}
