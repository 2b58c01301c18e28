import { describe, expect, test } from "vitest";
import { createStoreReach, reachFrom, taggedManifests } from "../../../../scripts/graph/reachability.ts";
import type { Digest } from "../../../../scripts/registry/digest.ts";
import { child, d, link, linked, parsed, storeFacts } from "../../../support/store/facts.ts";

const long = (letter: string): Digest => `sha512:${letter.repeat(128)}`;
const layer = (digest: Digest) => ({ digest, role: "layer" as const, sizeBytes: 1 });

const sorted = (digests: ReadonlySet<Digest>) => [...digests].sort();

describe("what a tag needs", () => {
  test("is everything below it: nested indexes, images, configurations and layers", () => {
    const manifests = new Map([
      [d("a"), parsed({ type: "index", children: [child(d("b"))] })],
      [d("b"), parsed({ type: "index", children: [child(d("c"))], blobs: [layer(d("1"))] })],
      [d("c"), parsed({ type: "image", blobs: [layer(d("2"))], others: [d("3")] })],
      [d("e"), parsed({ type: "image", blobs: [layer(d("4"))] })],
    ]);
    const given = storeFacts({ tags: [link("1", d("a"))], manifests });
    const reached = reachFrom(given, taggedManifests(given));
    expect(sorted(reached.manifests)).toEqual([d("a"), d("b"), d("c")]);
    expect(sorted(reached.blobs)).toEqual([d("1"), d("2"), d("3"), d("a"), d("b"), d("c")]);
    expect(sorted(reached.unknown)).toEqual([]);
  });

  test("is its subject, and the signatures of it, also those without a tag", () => {
    const manifests = new Map([
      [d("a"), parsed({ type: "image", subject: d("b") })],
      [d("b"), parsed({ type: "image" })],
      [d("c"), parsed({ type: "image", subject: d("b"), blobs: [layer(d("1"))] })],
      [d("e"), parsed({ type: "image", subject: d("f") })],
    ]);
    const reached = reachFrom(storeFacts({ manifests, revisions: linked(...manifests.keys()) }), [d("a")]);
    expect(sorted(reached.manifests)).toEqual([d("a"), d("b"), d("c")]);
    expect(reached.blobs).toContain(d("1"));
  });

  test("is found under its canonical digest when it was pushed by another algorithm", () => {
    const manifests = new Map([[d("a"), parsed({ type: "image", blobs: [layer(long("1"))] })]]);
    const layerLinks = [link(long("1"), d("2")), ...linked(d("2"))];
    expect(sorted(reachFrom(storeFacts({ manifests, layerLinks }), [d("a")]).blobs)).toEqual([
      d("2"),
      d("a"),
    ]);
  });

  test("is unknown below a manifest that cannot be read, which is said", () => {
    const manifests = new Map([
      [d("a"), parsed({ type: "index", children: [child(d("b")), child(d("c"))] })],
    ]);
    const broken = { state: "unreadable", location: "/x", reason: "EIO" } as const;
    const reached = reachFrom(storeFacts({ manifests: new Map([...manifests, [d("c"), broken]]) }), [d("a")]);
    expect(sorted(reached.unknown)).toEqual([d("b"), d("c")]);
    expect(sorted(reached.blobs)).toEqual([d("a"), d("b"), d("c")]);
  });

  test("ends also where manifests name each other in a circle", () => {
    const manifests = new Map([
      [d("a"), parsed({ type: "index", children: [child(d("b"))] })],
      [d("b"), parsed({ type: "index", children: [child(d("a"))] })],
    ]);
    expect(sorted(reachFrom(storeFacts({ manifests }), [d("a")]).manifests)).toEqual([d("a"), d("b")]);
  });
});

test("a store knows all repositories that reach a blob", () => {
  const reach = createStoreReach();
  reach.add("one", { blobs: new Set([d("1"), d("2")]) });
  reach.add("two", { blobs: new Set([d("2")]) });
  reach.add("three", { blobs: new Set([d("2"), d("3")]) });
  expect([d("1"), d("2"), d("3"), d("4")].map(reach.repositoriesOf)).toEqual([
    ["one"],
    ["one", "two", "three"],
    ["three"],
    [],
  ]);
});
