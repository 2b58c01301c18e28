import { expect, test } from "vitest";
import type { Digest } from "../../../../scripts/registry/digest.ts";
import { followManifests } from "../../../../scripts/source/follow-manifests.ts";

const d = (letter: string): Digest => `sha256:${letter.repeat(64)}`;

test("indexes that name each other in a circle are read once each", async () => {
  const read: Digest[] = [];
  const child = (digest: Digest) => ({ digest, platform: null, isAttestation: false });
  const manifests = await followManifests([d("a")], 4, async (digest) => {
    read.push(digest);
    const children = [child(digest === d("a") ? d("b") : d("a"))];
    return { state: "parsed", manifest: { type: "index", children } };
  });
  expect(read).toEqual([d("a"), d("b")]);
  expect([...manifests.keys()]).toEqual(read);
});
