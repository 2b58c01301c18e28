import fc from "fast-check";
import { expect, test } from "vitest";
import { parseManifest } from "../../../../scripts/registry/manifest.ts";

const digest = fc.constantFrom(
  `sha256:${"a".repeat(64)}`,
  `sha256:${"b".repeat(64)}`,
  `sha512:${"c".repeat(128)}`,
  "sha256:short",
);
const text = fc.constantFrom("application/vnd.oci.image.layer.v1.tar", "", "other");
const index = "application/vnd.oci.image.index.v1+json";
const odd = fc.constantFrom<unknown>(null, 7, "text", [], {}, { digest: `sha256:${"d".repeat(64)}` });
const annotations = fc.oneof(fc.dictionary(fc.constantFrom("a", "digest", "blobSum"), digest), odd);

/** Keys that may be absent, mostly with values of the right form. */
function mostly(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: value }, { weight: 1, arbitrary: odd });
}
const blob = fc.record(
  {
    mediaType: mostly(text),
    digest: mostly(digest),
    size: mostly(fc.nat()),
    annotations: mostly(annotations),
  },
  { requiredKeys: ["digest", "size"] },
);
const documents = fc.record(
  {
    schemaVersion: mostly(fc.constant(2)),
    mediaType: mostly(fc.constantFrom("application/vnd.oci.image.manifest.v1+json", index)),
    artifactType: mostly(text),
    config: mostly(blob),
    layers: mostly(fc.array(mostly(blob), { maxLength: 4 })),
    annotations: mostly(annotations),
  },
  { requiredKeys: ["config", "layers"] },
);

test("a manifest of known keys is read as the same one is that has a key more", () => {
  const read = (document: object) => parseManifest(Buffer.from(JSON.stringify(document)));
  let images = 0;
  fc.assert(
    fc.property(documents, (document) => {
      const found = read(document);
      if (found.type === "image") images += 1;
      // The schema alone reads what has keys of later specifications.
      expect(found).toEqual(read({ ...document, "new": true }));
    }),
    { numRuns: 2000 },
  );
  expect(images).toBeGreaterThan(200);
});
