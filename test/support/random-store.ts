import { cp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { type Digest, splitDigest } from "../../scripts/registry/digest.ts";
import { mediaTypes } from "../../scripts/registry/media-types.ts";
import { storePath, tagsPath } from "../../scripts/registry/paths.ts";
import { storeAt } from "./store.ts";

/** Small stores as any sequence of pushes leaves them, and what can happen to their files. */

interface RandomImage {
  readonly config: number;
  readonly layers: readonly number[];
}

interface RandomRepository {
  readonly images: readonly RandomImage[];
  /** Each a list of positions: images first, then the indexes before it. */
  readonly indexes: readonly (readonly number[])[];
  /** Positions, as above. */
  readonly tags: readonly number[];
}

export interface Damage {
  /** Of all files of the store; taken modulo their number. */
  readonly file: number;
  readonly how: "remove" | "empty" | "cut" | "flip" | "garbage" | "remove-directory";
}

const position = fc.nat({ max: 30 });
const image = fc.record({
  config: fc.nat({ max: 3 }),
  layers: fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 3 }),
});

export const randomRepositories: fc.Arbitrary<readonly RandomRepository[]> = fc.array(
  fc.record({
    images: fc.array(image, { minLength: 1, maxLength: 4 }),
    indexes: fc.array(fc.array(position, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
    tags: fc.array(position, { minLength: 1, maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 2 },
);

export const randomDamages: fc.Arbitrary<readonly Damage[]> = fc.array(
  fc.record({
    file: fc.nat(),
    how: fc.constantFrom("remove", "remove", "empty", "cut", "flip", "garbage", "remove-directory"),
  }),
  { minLength: 1, maxLength: 6 },
);

/** Writes the same as a healthy registry would hold. */
export async function writeRandomStore(
  directory: string,
  repositories: readonly RandomRepository[],
): Promise<void> {
  const store = storeAt(directory);
  for (const [number, { images, indexes, tags }] of repositories.entries()) {
    const name = number === 0 ? "team/app" : "other";
    const manifests: [Digest, number, string | undefined][] = [];
    const put = async (document: object, platform?: string) => {
      const digest = await store.manifest(name, document);
      manifests.push([digest, JSON.stringify(document).length, platform]);
    };
    for (const [variant, { config, layers }] of images.entries()) {
      const parts = [`{"config":${config}}`, ...layers.map((layer) => `layer ${layer}`)];
      const blobs: { readonly digest: Digest; readonly size: number }[] = [];
      for (const text of parts) blobs.push({ digest: await store.layer(name, text), size: text.length });
      const [first, ...others] = blobs;
      const mediaType = mediaTypes.ociManifest;
      await put({ schemaVersion: 2, mediaType, config: first, layers: others }, `linux/arm/v${variant}`);
    }
    for (const children of indexes) {
      const entries = children.flatMap((child) => {
        const [digest, size, platform] = manifests[child % manifests.length] ?? [];
        const [os, architecture, variant] = platform?.split("/") ?? [];
        return [{ digest, size, ...(os !== undefined && { platform: { os, architecture, variant } }) }];
      });
      await put({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: entries });
    }
    for (const [tag, target] of tags.entries()) {
      const [digest] = manifests[target % manifests.length] ?? [];
      if (digest) await putTag(store, name, `v${tag}`, digest);
    }
  }
}

async function putTag(
  store: ReturnType<typeof storeAt>,
  repository: string,
  tag: string,
  digest: Digest,
): Promise<void> {
  const { algorithm, hex } = splitDigest(digest);
  const directory = join(tagsPath(store.directory, repository), tag);
  await store.put(join(directory, "current", "link"), digest);
  await store.put(join(directory, "index", algorithm, hex, "link"), digest);
}

/** Another registry that holds the same, as a cache might. */
export async function copyStore(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true });
}

export async function damageStore(directory: string, damages: readonly Damage[]): Promise<void> {
  for (const { file, how } of damages) {
    const files = await listFiles(storePath(directory));
    const path = files[file % files.length];
    if (path !== undefined) await damageFile(path, how);
  }
}

async function listFiles(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : [])).sort();
}

async function damageFile(path: string, how: Damage["how"]): Promise<void> {
  if (how === "remove") return rm(path);
  if (how === "remove-directory") return rm(join(path, ".."), { recursive: true });
  if (how === "empty") return writeFile(path, "");
  if (how === "garbage") return writeFile(path, "what is this\n");
  const content = await readFile(path);
  if (how === "cut") return writeFile(path, content.subarray(0, Math.floor((await stat(path)).size / 2)));
  if (content.length > 0) content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1;
  return writeFile(path, content);
}
