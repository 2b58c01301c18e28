import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { tar } from "../machine/tar.ts";

/** What an index or a manifest says about one blob. Source: OCI image spec, descriptor.md. */
interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

const mediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  attestation: "application/vnd.in-toto+json",
} as const;

/** A small image to write: one layer with one file for each architecture. */
export interface SampleImage {
  readonly name: string;
  readonly tag: string;
  readonly architectures: readonly string[];
  /** Add a provenance attestation for the first architecture, as BuildKit does. */
  readonly attested: boolean;
}

/** Collects the blobs of one layout. */
class Layout {
  readonly blobs = new Map<string, Buffer>();

  add(mediaType: string, content: string | Buffer): Descriptor {
    const bytes = Buffer.from(content);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    this.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  addJson(mediaType: string, value: object): Descriptor {
    return this.add(mediaType, JSON.stringify(value));
  }

  manifest(config: Descriptor, layers: readonly Descriptor[]): Descriptor {
    return this.addJson(mediaTypes.manifest, {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config,
      layers,
    });
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function addPlatform(layout: Layout, image: SampleImage, architecture: string): Descriptor {
  const files = tar([{ path: "hello", content: `${image.name}:${image.tag} for ${architecture}\n` }]);
  const layer = layout.add(mediaTypes.layer, gzipSync(files));
  const rootfs = { type: "layers", diff_ids: [digestOf(files)] };
  const config = layout.addJson(mediaTypes.config, { architecture, os: "linux", config: {}, rootfs });
  return { ...layout.manifest(config, [layer]), platform: { architecture, os: "linux" } };
}

/** Source: BuildKit, docs/attestations/attestation-storage.md. */
function addAttestation(layout: Layout, subject: Descriptor): Descriptor {
  const statement = {
    _type: "https://in-toto.io/Statement/v0.1",
    predicateType: "https://slsa.dev/provenance/v0.2",
  };
  const layer = layout.addJson(mediaTypes.attestation, { ...statement, subject: [], predicate: {} });
  const rootfs = { type: "layers", diff_ids: [layer.digest] };
  const platform = { architecture: "unknown", os: "unknown" };
  const config = layout.addJson(mediaTypes.config, { ...platform, config: {}, rootfs });
  const annotations = {
    "vnd.docker.reference.type": "attestation-manifest",
    "vnd.docker.reference.digest": subject.digest,
  };
  return { ...layout.manifest(config, [layer]), platform, annotations };
}

/** Writes an image as an OCI layout: the same bytes, and so the same digests, every time. */
export async function writeLayout(image: SampleImage, directory: string): Promise<void> {
  const layout = new Layout();
  const manifests = image.architectures.map((architecture) => addPlatform(layout, image, architecture));
  const [first] = manifests;
  if (image.attested && first !== undefined) manifests.push(addAttestation(layout, first));
  const index = layout.addJson(mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests,
  });
  await mkdir(join(directory, "blobs/sha256"), { recursive: true });
  for (const [digest, bytes] of layout.blobs)
    await writeFile(join(directory, "blobs", digest.replace(":", "/")), bytes);
  await writeFile(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const named = { ...index, annotations: { "org.opencontainers.image.ref.name": image.tag } };
  await writeFile(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
}
