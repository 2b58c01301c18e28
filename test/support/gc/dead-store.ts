import { readdir, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SweepPlan } from "../../../scripts/gc/sweep/sweep.ts";
import type { MarkOptions } from "../../../scripts/mark/mark.ts";
import { markRegistry } from "../../../scripts/mark/mark-registry.ts";
import type { Digest } from "../../../scripts/registry/digest.ts";
import { mediaTypes } from "../../../scripts/registry/media-types.ts";
import { discoverRegistries } from "../../../scripts/source/disk/registry.ts";
import { temporaryDirectory } from "../program.ts";
import { writeHealthyStore } from "../store/sample-stores.ts";
import { type Store, storeAt } from "../store/store.ts";

const hourMs = 3600 * 1000;

/** A collection that needs no earlier mark. */
export const markOptions: MarkOptions = {
  graceMs: 2 * hourMs,
  overwrittenMs: 7 * 24 * hourMs,
  inUse: new Set(),
  deadForMs: 0,
};

/** Gives everything below a directory times that lie so many hours back. */
export async function age(directory: string, hours: number): Promise<void> {
  const time = new Date(Date.now() - hours * hourMs);
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const { parentPath, name } of entries) await utimes(join(parentPath, name), time, time);
}

/** The digests of an image without a tag. */
export interface DeadImage {
  readonly manifest: Digest;
  readonly config: Digest;
  readonly layer: Digest;
}

/** Writes an image of one layer that no tag leads to; its text makes it different from others. */
export async function writeDeadImage(store: Store, repository: string, text: string): Promise<DeadImage> {
  const config = await store.layer(repository, JSON.stringify({ os: "linux", text }));
  const layer = await store.layer(repository, `layer of ${text}`);
  const manifest = await store.manifest(repository, imageDocument(config, layer, text));
  return { manifest, config, layer };
}

export function imageDocument(config: Digest, layer: Digest, text: string) {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { digest: config, size: JSON.stringify({ os: "linux", text }).length },
    layers: [{ digest: layer, size: `layer of ${text}`.length }],
  };
}

/**
 * A data root of a private registry, days old: `app:1` is complete; one image of `app`, one of `team/tool` and a blob
 * without a link are dead.
 */
export async function rootWithDead() {
  const root = join(await temporaryDirectory(), "root");
  const store = storeAt(join(root, "private"));
  const kept = await writeHealthyStore(store.directory);
  const dead = await writeDeadImage(store, "app", "dead");
  const other = await writeDeadImage(store, "team/tool", "tool");
  const orphan = await store.blob("a blob without a link");
  await age(store.directory, 72);
  const paths = [
    ...[dead, other].flatMap(({ manifest, config, layer }, at) => {
      const repository = ["app", "team/tool"][at] ?? "";
      return [
        store.revisionLink(repository, manifest),
        store.layerLink(repository, config),
        store.layerLink(repository, layer),
        ...[manifest, config, layer].map(store.blobData),
      ];
    }),
    store.blobData(orphan),
  ].map((path) => dirname(path));
  return {
    root,
    store,
    kept,
    dead,
    other,
    orphan,
    paths,
    quarantine: join(root, ".regwarden", "quarantine"),
  };
}

/** What a collection removes, by a mark of now. */
export async function plansOf(root: string, options: MarkOptions = markOptions): Promise<SweepPlan[]> {
  const { sources } = await discoverRegistries(root);
  const plans: SweepPlan[] = [];
  for (const source of sources) {
    const mark = await markRegistry(source, options);
    plans.push({ source, mark, dead: mark.dead });
  }
  return plans;
}
