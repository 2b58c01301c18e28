import { expect, test } from "vitest";
import { findImageFaults } from "../../../../scripts/graph/image.ts";
import type { Digest } from "../../../../scripts/registry/digest.ts";
import type { ManifestState } from "../../../../scripts/source/source.ts";
import { child, d, parsed, storeFacts } from "../../../support/store/facts.ts";

const ofBlobs = parsed({ type: "index", blobs: [{ digest: d("e"), role: "layer", sizeBytes: 1 }] });
const ofIndex = (digest: Digest) => parsed({ type: "index", children: [child(digest, { platform: null })] });
const attestation = child(d("f"), { platform: "unknown/unknown", isAttestation: true });

test.each<[string, Readonly<Record<Digest, ManifestState>>, readonly string[]]>([
  ["an index of blobs, as a build cache is one, has no platform to miss", { [d("a")]: ofBlobs }, []],
  [
    "nor has an index of such an index",
    { [d("a")]: ofIndex(d("b")), [d("b")]: ofIndex(d("c")), [d("c")]: ofBlobs },
    [],
  ],
  ["an index of nothing runs nowhere", { [d("a")]: parsed({ type: "index" }) }, ["platform-missing"]],
  [
    "nor does an index of attestations alone",
    { [d("a")]: parsed({ type: "index", children: [attestation] }), [d("f")]: parsed({ type: "image" }) },
    ["platform-missing"],
  ],
])("%s", (_, manifests, causes) => {
  const served = storeFacts({ manifests: new Map(Object.entries(manifests) as [Digest, ManifestState][]) });
  const facts = { served, root: d("a"), besideDigest: null, configured: new Map<Digest, string>() };
  expect(findImageFaults(facts, "app:1", []).map(({ cause }) => cause)).toEqual(causes);
});
