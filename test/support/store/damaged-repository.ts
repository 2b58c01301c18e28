import { viewStore } from "../../../scripts/graph/store-view.ts";
import type { Digest } from "../../../scripts/registry/digest.ts";
import type { DamagedRepository } from "../../../scripts/repair/damaged-repository.ts";
import type { StoreFacts } from "../../../scripts/source/facts.ts";
import type { BlobState, LinkFact, ManifestState } from "../../../scripts/source/source.ts";
import { child, d, link, linked, parsed, storeFacts } from "./facts.ts";

/** Repositories as a plan gets them, by hand. */

export const sha512 = (digit: string): Digest => `sha512:${digit.repeat(128)}`;

export const badLink = (name: string): LinkFact => ({
  name,
  link: { state: "invalid", location: `/${name}`, reason: "is empty" },
});

export const image = (config: Digest, ...layers: readonly Digest[]): ManifestState =>
  parsed(
    {
      type: "image",
      blobs: [
        { digest: config, role: "config", sizeBytes: 10 },
        ...layers.map((digest) => ({ digest, role: "layer" as const, sizeBytes: 10 })),
      ],
    },
    500,
  );
export const index = (...children: readonly Digest[]): ManifestState =>
  parsed({ type: "index", children: children.map((digest) => child(digest, { sizeBytes: 500 })) }, 500);

export const missingManifest: ManifestState = { state: "missing" };
export const alteredManifest: ManifestState = { state: "altered" };

export const sound: BlobState = { state: "present", sizeBytes: 10, isAltered: false };
export const altered: BlobState = { state: "present", sizeBytes: 10, isAltered: true };
/** The right bytes, of another length than the sample's manifest promises. */
export const otherLength: BlobState = { state: "present", sizeBytes: 9, isAltered: false };
export const unreadable: BlobState = { state: "unreadable", location: "/blob", reason: "EIO" };
export const missing: BlobState = { state: "missing" };

export interface GivenRepository
  extends Partial<Omit<StoreFacts, "blob" | "manifests">>,
    Partial<Omit<DamagedRepository, "view">> {
  /** In place of, or beside, those of the sample. */
  readonly manifests?: Readonly<Record<Digest, ManifestState>>;
  /** Those that are not named are sound. */
  readonly blobs?: Readonly<Record<Digest, BlobState>>;
}

/** Tag 1 leads to index a, that to image b, of configuration c and layer e; complete, but for what is given. */
export function sampleRepository(given: GivenRepository = {}): DamagedRepository {
  const { manifests = {}, blobs = {}, copied, history, canonical, ...facts } = given;
  const all = { [d("a")]: index(d("b")), [d("b")]: image(d("c"), d("e")), ...manifests };
  const complete = storeFacts({
    tags: [link("1", d("a"))],
    revisions: linked(d("a"), d("b")),
    layerLinks: linked(d("c"), d("e")),
    manifests: new Map(Object.entries(all) as [Digest, ManifestState][]),
    blob: (digest) => blobs[digest] ?? sound,
  });
  const view = viewStore({ ...complete, ...facts });
  return {
    view,
    copied: copied ?? new Map(),
    history: history ?? new Map(),
    canonical: canonical ?? new Map(),
  };
}
