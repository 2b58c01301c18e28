import { describe, expect, test } from "vitest";
import { parseManifest } from "../../../../scripts/registry/manifest.ts";
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
    });
  });

  test("may name children without a platform, or none at all", () => {
    expect(parse({ manifests: [{ digest: a }] })).toMatchObject({
      children: [{ platform: null, isAttestation: false }],
    });
    expect(parse({ manifests: [] })).toEqual({ type: "index", children: [] });
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
      blobs: [{ digest: a, role: "layer", sizeBytes: null }],
    });
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
