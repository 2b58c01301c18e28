import { link, mkdir, open, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describeError, systemCode } from "../cli/errors.ts";
import { type Digest, splitDigest } from "../registry/digest.ts";
import { mediaTypes } from "../registry/media-types.ts";
import type { DiskSource } from "../source/disk/registry.ts";
import type { TaggedImage } from "./args.ts";
import { copyPart } from "./copy-part.ts";
import { type Fault, unreadable } from "./fault.ts";
import { type Part, readImageParts } from "./image-parts.ts";

/*
 * The copies of images:
 *
 *   DIRECTORY/
 *   ├── team+app+1.4 -> .team+app+1.4.a      symbolic link: replacing it is one step, which no directory's rename is
 *   └── .team+app+1.4.a/                     or .b: while one is the copy, the next is made in the other
 *       ├── oci-layout, index.json           OCI image layout
 *       ├── blobs/ALGORITHM/HEX
 *       ├── version, manifest.json           the same files for skopeo's dir: transport
 *       └── HEX, HEX.manifest.json           blobs, and the manifests below the first
 *
 * Source: OCI image spec, image-layout.md; containers/image, directory/directory_transport.go.
 */

/** What became of one image. */
export type Outcome =
  | {
      readonly state: "copied";
      readonly digest: Digest;
      readonly files: number;
      /** Files that are those of the former copy. */
      readonly linked: number;
      readonly sizeBytes: number;
    }
  | { readonly state: "failed"; readonly faults: readonly Fault[]; readonly hasFormer: boolean };

/** Copies an image out of a store. Whatever happens, the copy by its name is the former or the new one, complete. */
export async function exportImage(
  source: DiskSource,
  image: TaggedImage,
  directory: string,
): Promise<Outcome> {
  let former: string | undefined;
  try {
    former = await formerSlot(directory, image);
    const { root, parts, faults } = await readImageParts(source, image);
    if (root === undefined || faults.length > 0) return failed(faults, former);
    const next = slots(image).find((slot) => slot !== former) ?? "";
    const path = join(directory, next);
    // What a run that was cut off has left there.
    await rm(path, { recursive: true, force: true });
    const copied = await fill(source, parts, path, former && join(directory, former));
    if ("faults" in copied) {
      await rm(path, { recursive: true, force: true });
      return failed(copied.faults, former);
    }
    await describeLayout(path, image.tag, root, parts);
    await replaceLink(directory, image, next);
    if (former !== undefined) await rm(join(directory, former), { recursive: true, force: true });
    return { state: "copied", digest: root, files: parts.length, ...copied };
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return failed([unreadable(`cannot write to ${directory}: ${describeError(error)}`)], former);
  }
}

function failed(faults: readonly Fault[], former: string | undefined): Outcome {
  return { state: "failed", faults, hasFormer: former !== undefined };
}

/** Name of the copy: no repository and no tag has a plus sign. */
export function copyName({ repository, tag }: TaggedImage): string {
  return `${repository.replaceAll("/", "+")}+${tag}`;
}

const slots = (image: TaggedImage) => ["a", "b"].map((slot) => `.${copyName(image)}.${slot}`);

/** Where the copy is now. Errors: those of the file system, also where something else has its name. */
async function formerSlot(directory: string, image: TaggedImage): Promise<string | undefined> {
  const target = await readlink(join(directory, copyName(image))).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  });
  return slots(image).find((slot) => slot === target);
}

async function fill(
  source: DiskSource,
  parts: readonly Part[],
  path: string,
  former: string | undefined,
): Promise<{ readonly linked: number; readonly sizeBytes: number } | { readonly faults: readonly Fault[] }> {
  const faults: Fault[] = [];
  let linked = 0;
  let sizeBytes = 0;
  for (const part of parts) {
    const file = join(path, blobName(part.digest));
    await mkdir(dirname(file), { recursive: true });
    const copied = await copyPart(source, part, {
      former: former && join(former, blobName(part.digest)),
      file,
    });
    if ("kind" in copied) {
      faults.push(copied);
      continue;
    }
    if (copied.isLinked) linked++;
    sizeBytes += copied.sizeBytes;
  }
  return faults.length > 0 ? { faults } : { linked, sizeBytes };
}

function blobName(digest: Digest): string {
  return join("blobs", digest.replace(":", "/"));
}

/** All that makes the blobs an image. */
async function describeLayout(
  path: string,
  tag: string,
  root: Digest,
  parts: readonly Part[],
): Promise<void> {
  const manifest = await readFile(join(path, blobName(root)));
  const named = {
    mediaType: mediaTypeOf(manifest),
    digest: root,
    size: manifest.length,
    annotations: { "org.opencontainers.image.ref.name": tag },
  };
  await writeFile(join(path, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await writeFile(join(path, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
  await writeFile(join(path, "version"), "Directory Transport Version: 1.1\n");
  await link(join(path, blobName(root)), join(path, "manifest.json"));
  for (const { digest, role } of parts) {
    const { algorithm, hex } = splitDigest(digest);
    const name = role === "manifest" ? `${hex}.manifest.json` : hex;
    await link(join(path, blobName(digest)), join(path, name));
    await sync(join(path, "blobs", algorithm));
  }
  for (const name of ["oci-layout", "index.json", "version", "."]) await sync(join(path, name));
}

/** As the registry serves it. Source: OCI image spec, manifest.md and image-index.md: the field may be left out. */
function mediaTypeOf(manifest: Buffer): string {
  const { mediaType, manifests } = JSON.parse(manifest.toString()) as Record<string, unknown>;
  if (typeof mediaType === "string") return mediaType;
  return manifests === undefined ? mediaTypes.ociManifest : mediaTypes.ociIndex;
}

/** From here on the new copy is the copy. */
async function replaceLink(directory: string, image: TaggedImage, slot: string): Promise<void> {
  const temporary = join(directory, `.${copyName(image)}.link`);
  await rm(temporary, { force: true });
  await symlink(slot, temporary);
  await rename(temporary, join(directory, copyName(image)));
  await sync(directory);
}

/** Makes it last a power cut. */
async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
