import { describe, expect, test } from "vitest";
import { parseManifest, references } from "../../../../scripts/registry/manifest.ts";
import { mediaTypes } from "../../../../scripts/registry/media-types.ts";

const a = `sha256:${"a".repeat(64)}`;
const b = `sha256:${"b".repeat(64)}`;

const parse = (document: unknown) => parseManifest(new TextEncoder().encode(JSON.stringify(document)));

describe("an index", () => {
  test.each([
    ["an OCI index", mediaTypes.ociIndex],
    ["a Docker list", mediaTypes.dockerList],
    ["an index without media type", undefined],
    ["an index whose media type is null", null],
  ])("is recognised: %s", (_what, mediaType) => {
    const platform = { os: "linux", architecture: "arm64", variant: "v8" };
    expect(parse({ mediaType, manifests: [{ digest: a, platform }] })).toEqual({
      type: "index",
      children: [{ digest: a, platform: "linux/arm64/v8", isAttestation: false }],
      blobs: [],
    });
  });

  test("may name children without a platform, or none at all", () => {
    expect(parse({ manifests: [{ digest: a }] })).toMatchObject({
      children: [{ platform: null, isAttestation: false }],
    });
    expect(parse({ manifests: [] })).toEqual({ type: "index", children: [], blobs: [] });
  });

  test.each([
    ["its platform", { platform: { os: "unknown", architecture: "unknown" } }],
    ["its annotation", { annotations: { "vnd.docker.reference.type": "attestation-manifest" } }],
  ])("marks an attestation by %s", (_what, marks) => {
    expect(parse({ manifests: [{ digest: a, ...marks }] })).toMatchObject({
      children: [{ isAttestation: true }],
    });
  });
});

describe("an image", () => {
  test("holds its configuration and layers, each once", () => {
    expect(
      parse({ config: { digest: a, size: 2 }, layers: [{ digest: b, size: "2" }, { digest: b }] }),
    ).toEqual({
      type: "image",
      children: [],
      blobs: [
        { digest: a, role: "config", sizeBytes: 2 },
        { digest: b, role: "layer", sizeBytes: null },
      ],
    });
  });

  test("does not hold layers that live elsewhere", () => {
    const layers = [{ digest: b, urls: ["https://example.com/layer"] }];
    expect(parse({ config: { digest: a }, layers })).toMatchObject({ blobs: [{ digest: a }] });
  });

  test("may be of Docker's first schema", () => {
    expect(parse({ schemaVersion: 1, fsLayers: [{ blobSum: a }] })).toEqual({
      type: "image",
      children: [],
      blobs: [{ digest: a, role: "layer", sizeBytes: null }],
    });
  });
});

describe("an entry of an index", () => {
  test.each([
    ["a layer of a build cache", "application/vnd.oci.image.layer.v1.tar+gzip", "layer"],
    ["Docker's layer", "application/vnd.docker.image.rootfs.diff.tar.gzip", "layer"],
    ["the configuration of a build cache", mediaTypes.buildkitCacheConfig, "config"],
  ])("is a blob by its media type: %s", (_what, mediaType, role) => {
    expect(parse({ manifests: [{ mediaType, digest: a, size: 3 }] })).toEqual({
      type: "index",
      children: [],
      blobs: [{ digest: a, role, sizeBytes: 3 }],
    });
  });

  test("is a manifest by its media type, or by its platform", () => {
    const platform = { os: "linux", architecture: "amd64" };
    const entries = [
      { mediaType: mediaTypes.ociIndex, digest: a },
      { mediaType: mediaTypes.ociLayer, digest: b, platform },
    ];
    const children = [
      { digest: a, platform: null, isAttestation: false },
      { digest: b, platform: "linux/amd64", isAttestation: false },
    ];
    expect(parse({ manifests: entries })).toEqual({ type: "index", children, blobs: [] });
  });

  test("of an unknown media type may be either", () => {
    const entries = [{ mediaType: "application/vnd.example", digest: a }, { digest: b }];
    expect(parse({ manifests: entries })).toMatchObject({
      children: [
        { digest: a, mayBeBlob: true },
        { digest: b, mayBeBlob: true },
      ],
    });
  });
});

describe("references", () => {
  const c = `sha256:${"c".repeat(64)}`;
  const d = `sha256:${"d".repeat(64)}`;
  const referencesOf = (document: unknown) => {
    const manifest = parse(document);
    return manifest.type === "fault" ? manifest.reason : references(manifest).toSorted();
  };

  test("are all that an image names: foreign layers and its subject as well", () => {
    const layers = [{ digest: b, urls: ["https://example.com/layer"] }];
    expect(referencesOf({ config: { digest: a }, layers, subject: { digest: c } })).toEqual([a, b, c]);
  });

  test("are a configuration and layers beside children too", () => {
    const document = { manifests: [{ digest: a }], config: { digest: b }, layers: [{ digest: c }] };
    expect(referencesOf(document)).toEqual([a, b, c]);
  });

  test("are descriptors at any depth, and not what an annotation says", () => {
    const annotations = { "org.opencontainers.image.base.digest": d };
    const document = { layers: [{ digest: a }], extension: { nested: [{ digest: b }] }, annotations };
    expect(referencesOf(document)).toEqual([a, b]);
  });

  test("are the layers of Docker's first schema", () => {
    expect(referencesOf({ fsLayers: [{ blobSum: a }, { blobSum: b }] })).toEqual([a, b]);
  });
});

describe("what is no manifest says why", () => {
  test.each([
    ["is no JSON object", []],
    ["is no JSON object", null],
    ["names neither manifests nor blobs", { schemaVersion: 2 }],
    ["is an index without manifests", { mediaType: mediaTypes.ociIndex }],
    ["has an unusable manifests.0.digest", { manifests: [{ digest: "sha256:abc" }] }],
    ["has an unusable manifests", { manifests: {} }],
  ])("%s", (reason, document) => {
    expect(parse(document)).toEqual({ type: "fault", reason: expect.stringContaining(reason) });
  });

  test("is not JSON", () => {
    for (const bytes of [
      new TextEncoder().encode('{"manifests":'),
      new Uint8Array([0xff, 0xfe]),
      new Uint8Array(),
    ])
      expect(parseManifest(bytes)).toEqual({ type: "fault", reason: "is not JSON" });
  });
});
