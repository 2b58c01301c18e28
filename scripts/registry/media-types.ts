/**
 * Media types of manifests and of the blobs that they name.
 *
 * Source: OCI image spec, media-types.md; Docker image manifest v2, schema 1 and 2; BuildKit, docs/build-repro.md and
 * cache/remotecache/v1/spec.go.
 */
export const mediaTypes = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  ociEmpty: "application/vnd.oci.empty.v1+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  buildkitCacheConfig: "application/vnd.buildkit.cacheconfig.v0",
} as const;

const ociArtifact = "application/vnd.oci.artifact.manifest.v1+json";
const schema1 = "application/vnd.docker.distribution.manifest.v1+json";
const signedSchema1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";

const manifestTypes: ReadonlySet<string> = new Set([
  mediaTypes.ociIndex,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
  ociArtifact,
  signedSchema1,
  schema1,
]);

/** All manifests there are, for an Accept header: what is not in it, a registry may turn into something else. */
export const acceptAnyManifest = [...manifestTypes].join(", ");

/** Whether a media type promises a list of manifests. */
export function isIndexMediaType(mediaType: string | undefined): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerList;
}

const configTypes: ReadonlySet<string> = new Set([
  mediaTypes.ociConfig,
  mediaTypes.ociEmpty,
  mediaTypes.buildkitCacheConfig,
  "application/vnd.docker.container.image.v1+json",
]);

const layerType = /^application\/vnd\.(oci\.image\.layer\.|docker\.image\.rootfs\.|in-toto\+json)/;

/**
 * What an entry of an index is by its media type; undefined for a type that is absent or unknown. BuildKit's caches are
 * indexes whose entries are layers and a configuration, and 2.8.3 accepts them.
 */
export function roleOfEntry(mediaType: string | undefined): "manifest" | "config" | "layer" | undefined {
  if (mediaType === undefined) return undefined;
  if (manifestTypes.has(mediaType)) return "manifest";
  if (configTypes.has(mediaType)) return "config";
  return layerType.test(mediaType) ? "layer" : undefined;
}
