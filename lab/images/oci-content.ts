import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Describes one blob to whatever refers to it. Source: OCI image spec, descriptor.md. */
interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A blob or manifest with everything below it. Equal arguments give equal digests. */
export interface Content {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** Configuration, layers, and for an index its children. */
  readonly parts: readonly Content[];
}

const mediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  attestation: "application/vnd.in-toto+json",
} as const;

function blob(mediaType: string, bytes: Uint8Array, parts: readonly Content[] = []): Content {
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes, parts };
}

function document(mediaType: string, fields: object, parts: readonly Content[] = []): Content {
  return blob(mediaType, Buffer.from(JSON.stringify(fields)), parts);
}

function manifest(config: Content, layer: Content, about: Partial<Descriptor>): Content {
  const mediaType = mediaTypes.manifest;
  const fields = { schemaVersion: 2, mediaType, config: config.descriptor, layers: [layer.descriptor] };
  const content = document(mediaType, fields, [config, layer]);
  return { ...content, descriptor: { ...content.descriptor, ...about } };
}

/** An image of one layer. `diffId`: digest of the uncompressed layer. */
export function image(architecture: string, layer: Uint8Array, diffId: string): Content {
  const platform = { architecture, os: "linux" };
  const rootfs = { type: "layers", diff_ids: [diffId] };
  const config = document(mediaTypes.config, { ...platform, config: {}, rootfs });
  return manifest(config, blob(mediaTypes.layer, layer), { platform });
}

/** A provenance attestation about an image. Source: BuildKit, docs/attestations/attestation-storage.md. */
export function attestation({ descriptor: { digest } }: Content): Content {
  const subject = [{ name: "_", digest: { sha256: digest.slice("sha256:".length) } }];
  const types = {
    _type: "https://in-toto.io/Statement/v0.1",
    predicateType: "https://slsa.dev/provenance/v0.2",
  };
  const statement = document(mediaTypes.attestation, { ...types, subject, predicate: {} });
  const platform = { architecture: "unknown", os: "unknown" };
  const rootfs = { type: "layers", diff_ids: [statement.descriptor.digest] };
  const config = document(mediaTypes.config, { ...platform, config: {}, rootfs });
  const annotations = {
    "vnd.docker.reference.type": "attestation-manifest",
    "vnd.docker.reference.digest": digest,
  };
  return manifest(config, statement, { platform, annotations });
}

/** An image index: one child for each platform, and attestations. */
export function imageIndex(children: readonly Content[]): Content {
  const manifests = children.map(({ descriptor }) => descriptor);
  return document(mediaTypes.index, { schemaVersion: 2, mediaType: mediaTypes.index, manifests }, children);
}

/** Writes an OCI layout with one image, which `skopeo copy oci:DIRECTORY:NAME` reads. */
export async function writeLayout(directory: string, content: Content, name: string): Promise<void> {
  await writeBlobs(directory, content);
  await writeFile(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const named = { ...content.descriptor, annotations: { "org.opencontainers.image.ref.name": name } };
  await writeFile(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
}

async function writeBlobs(directory: string, { descriptor, bytes, parts }: Content): Promise<void> {
  const file = join(directory, "blobs", descriptor.digest.replace(":", "/"));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
  for (const part of parts) await writeBlobs(directory, part);
}
