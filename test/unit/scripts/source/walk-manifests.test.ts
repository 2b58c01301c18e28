import { expect, test } from "vitest";
import type { Digest } from "../../../../scripts/registry/digest.ts";
import type { ManifestState } from "../../../../scripts/source/source.ts";
import { walkManifests } from "../../../../scripts/source/walk-manifests.ts";
import { child, d, parsed } from "../../../support/store/facts.ts";

test("indexes that name each other in a circle are read once each", async () => {
  const read: Digest[] = [];
  const manifests = await walkManifests({
    roots: [d("a")],
    limit: 4,
    isBlob: async () => false,
    read: async (digest) => {
      read.push(digest);
      return parsed({ type: "index", children: [child(digest === d("a") ? d("b") : d("a"))] });
    },
  });
  expect(read).toEqual([d("a"), d("b")]);
  expect([...manifests.keys()]).toEqual(read);
});

test("an entry without a media type that turns out to be a blob stands among the blobs, and is not read", async () => {
  const entries = [
    { ...child(d("b")), sizeBytes: 7, mayBeBlob: true as const },
    { ...child(d("c")), mayBeBlob: true as const },
  ];
  const states: Partial<Record<Digest, ManifestState>> = {
    [d("a")]: parsed({ type: "index", children: entries }),
    [d("c")]: parsed({ type: "image" }),
  };
  const manifests = await walkManifests({
    roots: [d("a")],
    limit: 4,
    isBlob: async (digest) => digest === d("b"),
    read: async (digest) => states[digest] ?? { state: "missing" },
  });
  expect([...manifests.keys()]).toEqual([d("a"), d("c")]);
  expect(manifests.get(d("a"))).toMatchObject({
    manifest: { children: [{ digest: d("c") }], blobs: [{ digest: d("b"), role: "layer", sizeBytes: 7 }] },
  });
});
