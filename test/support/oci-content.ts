import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, digestOf, splitDigest } from "../../scripts/registry/digest.ts";
import { mediaTypes } from "../../scripts/registry/media-types.ts";

/** Images made of plain text, as an OCI layout that skopeo can push. Equal arguments give equal digests. */

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest with everything below it. */
export interface Content {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Configuration, layers, and for an index its children. */
  readonly parts: readonly Content[];
}

export function digest({ descriptor }: Content): Digest {
  return descriptor.digest;
}

/** One image for a platform such as `linux/arm64/v8`, with a layer of its own. */
export function image(text: string, platform: string, generation: "oci" | "docker" = "oci"): Content {
  const [os = "", architecture = "", variant] = platform.split("/");
  const isOci = generation === "oci";
  const layer = leaf(
    isOci ? mediaTypes.ociLayer : "application/vnd.docker.image.rootfs.diff.tar",
    archive(text),
  );
  const rootfs = { type: "layers", diff_ids: [layer.descriptor.digest] };
  const config = leaf(
    isOci ? mediaTypes.ociConfig : "application/vnd.docker.container.image.v1+json",
    encode({ os, architecture, ...(variant !== undefined && { variant }), config: {}, rootfs }),
  );
  const mediaType = isOci ? mediaTypes.ociManifest : mediaTypes.dockerManifest;
  const document = { schemaVersion: 2, mediaType, config: config.descriptor, layers: [layer.descriptor] };
  const manifest = node(mediaType, document, [config, layer]);
  return withDescriptor(manifest, {
    platform: { os, architecture, ...(variant !== undefined && { variant }) },
  });
}

/** An attestation about an image, as BuildKit writes it. */
export function attestation(about: Content): Content {
  const statement = leaf("application/vnd.in-toto+json", encode({ subject: about.descriptor.digest }));
  const config = leaf(mediaTypes.ociConfig, encode({ os: "unknown", architecture: "unknown", config: {} }));
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: config.descriptor,
    layers: [statement.descriptor],
  };
  return withDescriptor(node(mediaTypes.ociManifest, document, [config, statement]), {
    platform: { os: "unknown", architecture: "unknown" },
    annotations: {
      "vnd.docker.reference.type": "attestation-manifest",
      "vnd.docker.reference.digest": about.descriptor.digest,
    },
  });
}

/** A signature about an image, as cosign writes it with a `subject`. */
export function signature(about: Content): Content {
  const { mediaType, digest, size } = about.descriptor;
  const payload = leaf("application/vnd.dev.cosign.simplesigning.v1+json", encode({ critical: digest }));
  const config = leaf(mediaTypes.ociConfig, encode({ architecture: "", os: "", config: {}, signs: digest }));
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: config.descriptor,
    layers: [payload.descriptor],
    subject: { mediaType, digest, size },
  };
  return node(mediaTypes.ociManifest, document, [config, payload]);
}

/** An OCI index; `saysMediaType: false` leaves out the field that OCI lets writers leave out. */
export function index(children: readonly Content[], { saysMediaType = true } = {}): Content {
  const mediaType = mediaTypes.ociIndex;
  const manifests = children.map(({ descriptor }) => descriptor);
  return node(mediaType, { schemaVersion: 2, ...(saysMediaType && { mediaType }), manifests }, children);
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
export function leaf(mediaType: string, bytes: Uint8Array<ArrayBuffer>): Content {
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength }, bytes, parts: [] };
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
