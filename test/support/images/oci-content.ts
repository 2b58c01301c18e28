import { hash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, splitDigest } from "../../../scripts/registry/digest.ts";
import { mediaTypes } from "../../../scripts/registry/media-types.ts";

/** Images made of plain text, as an OCI layout that skopeo can push. Equal arguments give equal digests. */

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
  readonly annotations?: Readonly<Record<string, string>>;
  /** Where clients fetch it instead. */
  readonly urls?: readonly string[];
}

export type Generation = "oci" | "docker";
type Algorithm = "sha256" | "sha512";

/** A manifest with everything below it. */
export interface Content {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the registry must hold of it: configuration, layers, and for an index its entries. */
  readonly parts: readonly Content[];
}

export function digest({ descriptor }: Content): Digest {
  return descriptor.digest;
}

/** One image for a platform such as `linux/arm64/v8`, with a layer of its own. */
export function image(text: string, platform: string, generation: Generation = "oci"): Content {
  return imageOf(platform, [layer(text, generation)], { generation });
}

/** A layer; pushed by another algorithm's digest, registry 2.8.3 keeps it by its canonical one, with an alias. */
export function layer(text: string, generation: Generation = "oci", algorithm?: Algorithm): Content {
  return leaf(layerTypes[generation], archive(text), algorithm);
}

/** Clients refuse images whose layers are of the other generation. */
const layerTypes = { oci: mediaTypes.ociLayer, docker: "application/vnd.docker.image.rootfs.diff.tar" };

/** The layer of no bytes. */
export function emptyLayer(generation: Generation = "oci"): Content {
  return leaf(layerTypes[generation], new Uint8Array());
}

/** A layer that no registry need hold, as Windows has them: clients fetch it from its address. */
export function foreignLayer(text: string, generation: Generation = "oci"): Content {
  const type =
    generation === "oci"
      ? "application/vnd.oci.image.layer.nondistributable.v1.tar"
      : "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
  return withDescriptor(leaf(type, archive(`foreign ${text}`)), {
    urls: [`https://elsewhere.example/${text}`],
  });
}

/** An image of any layers. `configUnder`: algorithm of the digest that the configuration is pushed by. */
export function imageOf(
  platform: string,
  layers: readonly Content[],
  {
    generation = "oci",
    configUnder,
  }: { readonly generation?: Generation; readonly configUnder?: Algorithm } = {},
): Content {
  const [os = "", architecture = "", variant] = platform.split("/");
  const named = { os, architecture, ...(variant !== undefined && { variant }) };
  const isOci = generation === "oci";
  const rootfs = { type: "layers", diff_ids: layers.map(digest) };
  const type = isOci ? mediaTypes.ociConfig : "application/vnd.docker.container.image.v1+json";
  const config = leaf(type, encode({ ...named, config: {}, rootfs }), configUnder);
  const mediaType = isOci ? mediaTypes.ociManifest : mediaTypes.dockerManifest;
  return withDescriptor(imageManifest(mediaType, config, layers), { platform: named });
}

/** Any manifest of a configuration and layers; `more`: further fields. */
export function imageManifest(
  mediaType: string,
  config: Content,
  layers: readonly Content[],
  more: object = {},
): Content {
  const descriptors = layers.map(({ descriptor }) => descriptor);
  const document = { schemaVersion: 2, mediaType, config: config.descriptor, layers: descriptors, ...more };
  return node(mediaType, document, [config, ...layers.filter(({ descriptor }) => !descriptor.urls)]);
}

/** An attestation about an image, as BuildKit writes it; older versions and other tools mark it by one of the two. */
export function attestation(about: Content, marks: "both" | "platform" | "annotations" = "both"): Content {
  const statement = leaf("application/vnd.in-toto+json", encode({ subject: about.descriptor.digest }));
  const config = leaf(mediaTypes.ociConfig, encode({ os: "unknown", architecture: "unknown", config: {} }));
  return withDescriptor(imageManifest(mediaTypes.ociManifest, config, [statement]), {
    ...(marks !== "annotations" && { platform: { os: "unknown", architecture: "unknown" } }),
    ...(marks !== "platform" && {
      annotations: {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": about.descriptor.digest,
      },
    }),
  });
}

/** A signature about an image, as cosign writes it with a `subject`. */
export function signature(about: Content): Content {
  const { mediaType, digest, size } = about.descriptor;
  const payload = leaf("application/vnd.dev.cosign.simplesigning.v1+json", encode({ critical: digest }));
  const config = leaf(mediaTypes.ociConfig, encode({ architecture: "", os: "", config: {}, signs: digest }));
  return imageManifest(mediaTypes.ociManifest, config, [payload], { subject: { mediaType, digest, size } });
}

/**
 * An OCI index; `saysMediaType: false` leaves out the field that OCI lets writers leave out. `describe`: what it says of an
 * entry.
 */
export function index(
  entries: readonly Content[],
  {
    saysMediaType = true,
    describe = ({ descriptor }: Content): object => descriptor,
  }: { readonly saysMediaType?: boolean; readonly describe?: (entry: Content) => object } = {},
): Content {
  const mediaType = mediaTypes.ociIndex;
  const manifests = entries.map((entry) => describe(entry));
  return node(mediaType, { schemaVersion: 2, ...(saysMediaType && { mediaType }), manifests }, entries);
}

/** A Docker manifest list. */
export function dockerList(children: readonly Content[]): Content {
  const mediaType = mediaTypes.dockerList;
  return node(
    mediaType,
    { schemaVersion: 2, mediaType, manifests: children.map((c) => c.descriptor) },
    children,
  );
}

/** Writes a directory in skopeo's own `dir:` form, the only one that takes Docker's media types. */
export async function writeDockerDirectory(directory: string, content: Content): Promise<void> {
  await writeFile(join(directory, "version"), "Directory Transport Version: 1.1\n");
  await writeFile(join(directory, "manifest.json"), content.bytes);
  for (const part of content.parts) await writeDockerPart(directory, part);
}

async function writeDockerPart(directory: string, { descriptor, bytes, parts }: Content): Promise<void> {
  const { hex } = splitDigest(descriptor.digest);
  await writeFile(join(directory, parts.length > 0 ? `${hex}.manifest.json` : hex), bytes);
  for (const part of parts) await writeDockerPart(directory, part);
}

/** A manifest of some document, with everything that it names. */
export function node(mediaType: string, document: object, parts: readonly Content[]): Content {
  return { ...leaf(mediaType, encode(document)), parts };
}

/** A blob. */
export function leaf(
  mediaType: string,
  bytes: Uint8Array<ArrayBuffer>,
  algorithm: Algorithm = "sha256",
): Content {
  const digest: Digest = `${algorithm}:${hash(algorithm, bytes)}`;
  return { descriptor: { mediaType, digest, size: bytes.byteLength }, bytes, parts: [] };
}

/** Whether it is pushed as a manifest; else as a blob. */
export function isManifest({ parts }: Content): boolean {
  return parts.length > 0;
}

/** A manifest and everything below it that the registry must hold. */
export function withParts(content: Content): readonly Content[] {
  return [content, ...content.parts.flatMap(withParts)];
}

/** The same content, of which whatever names it says more. */
export function withDescriptor(content: Content, more: Partial<Descriptor>): Content {
  return { ...content, descriptor: { ...content.descriptor, ...more } };
}

export function encode(document: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(document));
}

/** A layer of some text. Not a real archive, as no test unpacks it. Two blocks, so that it is one by its size. */
export function archive(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1024);
  new TextEncoder().encodeInto(text, bytes);
  return bytes;
}
