import { mediaTypes } from "../../../scripts/registry/media-types.ts";
import {
  archive,
  attestation,
  type Content,
  dockerList,
  emptyLayer,
  encode,
  foreignLayer,
  image,
  imageManifest,
  imageOf,
  index,
  layer,
  leaf,
  node,
  withDescriptor,
} from "./oci-content.ts";

/** What registries hold beside plain images and indexes of them, each as its tool writes it. */

const schemaVersion = 2;
const dockerLayer = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/** What `--cache-to type=registry` writes: an index whose entries are blobs. Source: BuildKit, remotecache/export.go. */
export function buildCache(text: string, generation: "oci" | "docker" = "oci"): Content {
  const layerType = generation === "oci" ? mediaTypes.ociLayer : dockerLayer;
  const layers = [`${text} 1`, `${text} 2`].map((content) =>
    withDescriptor(leaf(layerType, archive(content)), {
      annotations: { "buildkit/createdat": "2026-01-01T00:00:00Z" },
    }),
  );
  const entries = [...layers, cacheConfig(layers)];
  const mediaType = generation === "oci" ? mediaTypes.ociIndex : mediaTypes.dockerList;
  return node(mediaType, { schemaVersion, mediaType, manifests: descriptors(entries) }, entries);
}

/** The same with `image-manifest=true`. */
export function buildCacheImage(text: string): Content {
  const layers = [leaf(mediaTypes.ociLayer, archive(text))];
  return manifest(cacheConfig(layers), layers);
}

function cacheConfig(layers: readonly Content[]): Content {
  const blobs = layers.map(({ descriptor }, at) => ({ blob: descriptor.digest, parent: at - 1 }));
  return leaf(mediaTypes.buildkitCacheConfig, encode({ layers: blobs, records: [] }));
}

/** An artifact without a configuration. Source: OCI image spec, manifest.md, "Guidelines for Artifact Usage". */
export function artifact(text: string): Content {
  const file = leaf("text/plain", encode({ text }));
  return manifest(leaf(mediaTypes.ociEmpty, encode({})), [file], {
    artifactType: "application/vnd.example.text",
  });
}

/** An artifact without content: its one layer is the empty configuration again. */
export function emptyArtifact(): Content {
  const empty = leaf(mediaTypes.ociEmpty, encode({}));
  return manifest(empty, [empty], { artifactType: "application/vnd.example.mark" });
}

/** A chart, as Helm pushes it. */
export function chart(text: string): Content {
  const config = leaf("application/vnd.cncf.helm.config.v1+json", encode({ name: text, version: "1.0.0" }));
  return manifest(config, [leaf("application/vnd.cncf.helm.chart.content.v1.tar+gzip", archive(text))]);
}

/** Any files under an index, whose entries do not say that they are blobs. */
export function fileIndex(text: string): Content {
  const files = [leaf("application/octet-stream", encode({ text }))];
  const mediaType = mediaTypes.ociIndex;
  return node(mediaType, { schemaVersion, mediaType, manifests: descriptors(files) }, files);
}

/** A signature without a `subject`, which is found by its tag alone. Source: cosign, SIGNATURE_SPEC.md. */
export function detachedSignature(about: Content): Content {
  const { digest } = about.descriptor;
  const payload = leaf("application/vnd.dev.cosign.simplesigning.v1+json", encode({ critical: digest }));
  const config = leaf(mediaTypes.ociConfig, encode({ architecture: "", os: "", config: {}, of: digest }));
  return manifest(config, [payload]);
}

/** Tag under which clients look for a signature, where the registry keeps no list of referrers. */
export function signatureTag({ descriptor }: Content): string {
  return `${descriptor.digest.replace(":", "-")}.sig`;
}

/** An image with a layer of zero bytes, which is a blob like any other. */
export function imageWithEmptyLayer(text: string): Content {
  return imageOf("linux/amd64", [layer(text), emptyLayer()]);
}

/** An image whose layer is named by its SHA-512. */
export function imageWithLongDigest(text: string): Content {
  return imageOf("linux/amd64", [layer(text, "oci", "sha512")]);
}

/** One of each, by what it is. Equal names have equal digests. */
export const artifacts: Readonly<Record<string, Content>> = {
  "an image": image("plain", "linux/amd64"),
  "a Docker image": image("docker", "linux/amd64", "docker"),
  "an index": index([image("one", "linux/amd64"), image("two", "linux/arm64/v8")]),
  "an index with attestations": attestedIndex(),
  "an index without a media type": index([image("three", "linux/amd64")], { saysMediaType: false }),
  "a Docker list": dockerList([
    image("four", "linux/amd64", "docker"),
    image("five", "linux/arm64", "docker"),
  ]),
  "an index of indexes": index([
    index([image("six", "linux/amd64")]),
    index([image("seven", "linux/s390x")]),
  ]),
  "a build cache": buildCache("cache"),
  "a Docker build cache": buildCache("docker cache", "docker"),
  "a build cache with an image manifest": buildCacheImage("cache image"),
  "an artifact": artifact("note"),
  "an empty artifact": emptyArtifact(),
  "a chart": chart("chart"),
  "an index of files": fileIndex("file"),
  "an image with a foreign layer": imageOf(
    "windows/amd64",
    [foreignLayer("base", "docker"), layer("foreign", "docker")],
    { generation: "docker" },
  ),
  "an image with an empty layer": imageWithEmptyLayer("empty"),
  "an image with a SHA-512 digest": imageWithLongDigest("long"),
};

function attestedIndex(): Content {
  const own = image("attested", "linux/amd64");
  return index([own, attestation(own)]);
}

function manifest(config: Content, layers: readonly Content[], more: object = {}): Content {
  return imageManifest(mediaTypes.ociManifest, config, layers, more);
}

function descriptors(contents: readonly Content[]) {
  return contents.map(({ descriptor }) => descriptor);
}
