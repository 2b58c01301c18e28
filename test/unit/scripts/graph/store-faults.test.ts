import { describe, expect, test } from "vitest";
import { findStoreFaults } from "../../../../scripts/graph/findings.ts";
import type { Digest } from "../../../../scripts/registry/digest.ts";
import type { StoreFacts } from "../../../../scripts/source/facts.ts";
import type { BlobState, LinkFact, LinkState, ManifestState } from "../../../../scripts/source/source.ts";
import { child, d, link, linked, parsed, storeFacts } from "../../../support/store/facts.ts";

const image = (config: Digest, layer: Digest, subject?: Digest): ManifestState => {
  const blobs = [
    { digest: config, role: "config", sizeBytes: 10 },
    { digest: layer, role: "layer", sizeBytes: 10 },
  ] as const;
  return parsed({ type: "image", blobs, ...(subject && { subject }) }, 500);
};
const index = (digest: Digest, sizeBytes: number): ManifestState => {
  const children = [child(digest, { sizeBytes })];
  return parsed({ type: "index", children }, 500);
};

const missing: BlobState = { state: "missing" };

/** Tag 1 leads to index a, that to image b, of configuration c and layer d: all complete, but for what is given. */
function findIn(own: Partial<StoreFacts>, blobs: Partial<Record<Digest, BlobState>> = {}) {
  return findStoreFaults(
    storeFacts({
      tags: [link("1", d("a"))],
      revisions: linked(d("a"), d("b")),
      layerLinks: linked(d("c"), d("d")),
      manifests: new Map([
        [d("a"), index(d("b"), 500)],
        [d("b"), image(d("c"), d("d"))],
      ]),
      blob: (digest) => blobs[digest] ?? { state: "present", sizeBytes: 10 },
      ...own,
    }),
  );
}

const common = { registry: "private", repository: "app", tags: ["1"], severity: "critical" };
const invalid: LinkState = { state: "invalid", location: "/link", reason: "is empty" };

test("a complete image gives no finding", () => expect(findIn({})).toEqual([]));

describe("a layer that an image needs", () => {
  const part = { ...common, digest: d("d"), parent: d("b"), platform: "linux/amd64" };
  test.each<[string, BlobState, object]>([
    ["is gone", { state: "missing" }, { kind: "layer", cause: "blob-missing", remedy: "rebuild" }],
    ["is empty", { state: "present", sizeBytes: 0 }, { kind: "layer", cause: "blob-empty" }],
    ["is cut short", { state: "present", sizeBytes: 9 }, { kind: "layer", cause: "size-mismatch" }],
    [
      "holds other bytes",
      { state: "present", sizeBytes: 10, isAltered: true },
      { kind: "layer", cause: "digest-mismatch" },
    ],
    [
      "cannot be read",
      { state: "unreadable", location: "/data", reason: "EIO" },
      { kind: "layer", cause: "unreadable", severity: "warning", remedy: "none" },
    ],
  ])("%s", (_what, state, expected) => {
    expect(findIn({}, { [d("d")]: state })).toMatchObject([{ ...part, ...expected }]);
  });

  test.each<[string, LinkFact[], object]>([
    ["has no link", [], { cause: "link-missing", remedy: "relink" }],
    ["has a bad link", [{ name: d("d"), link: invalid }], { cause: "link-invalid", remedy: "relink" }],
    [
      "has a link that cannot be read",
      [{ name: d("d"), link: { state: "unreadable", location: "/link", reason: "EACCES" } }],
      { cause: "unreadable", severity: "warning", remedy: "none" },
    ],
  ])("%s, which is the finding as long as the layer is there", (_what, links, expected) => {
    const layerLinks = [...linked(d("c")), ...links];
    expect(findIn({ layerLinks })).toMatchObject([{ ...part, kind: "layer-link", ...expected }]);
    expect(findIn({ layerLinks }, { [d("d")]: missing })).toMatchObject([
      { kind: "layer", cause: "blob-missing" },
    ]);
  });

  test("of no tag is only in the way", () => {
    expect(findIn({ tags: [] }, { [d("d")]: missing })).toMatchObject([
      { kind: "layer", severity: "warning", tags: [], remedy: "remove-link" },
    ]);
  });

  test("is not missed when the list of links could not be read", () => {
    const unread: LinkFact = { name: null, link: { state: "unreadable", location: "/x", reason: "EIO" } };
    expect(findIn({ layerLinks: [unread] })).toMatchObject([{ kind: "layer-link", cause: "unreadable" }]);
  });
});

describe("a manifest", () => {
  test("that a tag leads to and no link is lost for all its tags, once", () => {
    const tags = [link("2", d("a")), link("1", d("a"))];
    expect(findIn({ tags, revisions: linked(d("b")) })).toMatchObject([
      {
        ...common,
        kind: "manifest",
        cause: "link-missing",
        digest: d("a"),
        tags: ["1", "2"],
        remedy: "relink",
      },
    ]);
  });

  test("is relinked only when everything below it is complete", () => {
    const revisions = linked(d("b"));
    for (const state of [{ state: "missing" }, { state: "present", sizeBytes: 9 }] as const)
      expect(findIn({ revisions }, { [d("c")]: state })).toContainEqual(
        expect.objectContaining({ digest: d("a"), cause: "link-missing", remedy: "rebuild" }),
      );
    const layerLinks = linked(d("c"));
    expect(findIn({ revisions, layerLinks }).map(({ remedy }) => remedy)).toEqual(["relink", "relink"]);
  });

  test("holds other bytes than its digest stands for", () => {
    const manifests = new Map<Digest, ManifestState>([
      [d("a"), index(d("b"), 500)],
      [d("b"), { state: "altered" }],
    ]);
    expect(findIn({ manifests })).toMatchObject([
      { ...common, kind: "manifest", cause: "digest-mismatch", digest: d("b"), remedy: "rebuild" },
    ]);
    expect(findIn({ manifests, mode: "cache" })).toMatchObject([
      { severity: "warning", remedy: "remove-link" },
    ]);
  });

  test("has another length than its index says", () => {
    const manifests = new Map([
      [d("a"), index(d("b"), 499)],
      [d("b"), image(d("c"), d("d"))],
    ]);
    const wrong = { kind: "index-child", cause: "size-mismatch", digest: d("b"), parent: d("a") };
    expect(findIn({ manifests })).toMatchObject([{ ...common, ...wrong, remedy: "rebuild" }]);
    expect(findIn({ manifests, mode: "cache" })).toEqual([]);
  });

  test("is served by a layer link where it has no other", () => {
    const layerLinks = linked(d("b"), d("c"), d("d"));
    expect(findIn({ revisions: linked(d("a")), layerLinks })).toEqual([]);
  });
});

describe("a tag", () => {
  const nameless: LinkFact = { name: "2", link: { state: "missing", location: "/data/link" } };
  const healthy = link("1", d("a"));

  test("of which only the name is left cannot be pulled", () => {
    const finding = { ...common, kind: "tag", cause: "link-missing", tags: ["2"], remedy: "rebuild" };
    expect(findIn({ tags: [healthy, nameless] })).toMatchObject([finding]);
    expect(findIn({ mode: "cache", tags: [healthy, nameless] })).toEqual([]);
  });

  test("of a signature hurts no platform", () => {
    const name = `sha256-${"a".repeat(64)}.sig`;
    expect(findIn({ tags: [healthy, { ...nameless, name }] })).toMatchObject([
      { kind: "tag", severity: "warning" },
    ]);
  });
});

describe("a signature", () => {
  const fallback = `sha256-${"f".repeat(64)}`;

  test.each([fallback, `${fallback}.sig`, `${fallback}.att`, `${fallback}.sbom`])(
    "whose subject is gone is told by its tag %s",
    (name) => {
      expect(findIn({ tags: [link(name, d("a"))] })).toMatchObject([
        { kind: "referrer", cause: "subject-missing", digest: d("f"), tags: [name], severity: "warning" },
      ]);
    },
  );

  test("whose subject is gone is told by what it says, with all tags, once", () => {
    const manifests = new Map([[d("b"), image(d("c"), d("d"), d("f"))]]);
    const tags = [link("signature", d("b")), link(`${fallback}.sig`, d("b"))];
    expect(findIn({ tags, manifests, revisions: linked(d("b")) })).toMatchObject([
      {
        kind: "referrer",
        digest: d("f"),
        parent: d("b"),
        tags: [`${fallback}.sig`, "signature"],
        remedy: "none",
      },
    ]);
  });

  test("of an image that is there, or that its index lost, is no finding of its own", () => {
    const ofChild = link(`sha256-${"b".repeat(64)}.sig`, d("a"));
    const tags = [link("1", d("a")), ofChild];
    expect(findIn({ tags })).toEqual([]);
    expect(findIn({ tags, revisions: linked(d("a")) }).map(({ kind }) => kind)).toEqual(["index-child"]);
    expect(findIn({ tags: [ofChild], mode: "cache" })).toEqual([]);
  });
});

describe("a layer that was pushed by another algorithm", () => {
  const name: Digest = `sha512:${"e".repeat(128)}`;
  const manifests = new Map([
    [d("a"), index(d("b"), 500)],
    [d("b"), image(d("c"), name)],
  ]);
  const alias: LinkFact = { name, link: { state: "linked", digest: d("e") } };
  const layerLinks = [...linked(d("c"), d("e")), alias];
  const finding = { ...common, digest: name, parent: d("b"), platform: "linux/amd64" };
  /** The store keeps content under its canonical digest alone. */
  const blob = (digest: Digest): BlobState =>
    digest === name ? missing : { state: "present", sizeBytes: 10 };

  test("is found through the content of its link", () => {
    expect(findIn({ manifests, layerLinks, blob })).toEqual([]);
  });

  test("is missing when the blob behind the link is", () => {
    const gone = (digest: Digest) => (digest === d("e") ? missing : blob(digest));
    const findings = findIn({ manifests, layerLinks, blob: gone });
    expect(findings).toMatchObject([
      { ...finding, kind: "layer", cause: "blob-missing", remedy: "rebuild" },
      { kind: "layer-link", cause: "blob-missing", digest: d("e") },
    ]);
  });

  test("is not served without the link of the digest under which the store keeps it", () => {
    const canonical = { ...finding, kind: "layer-link", digest: d("e"), remedy: "relink" };
    expect(findIn({ manifests, layerLinks: [...linked(d("c")), alias], blob })).toMatchObject([
      { ...canonical, cause: "link-missing" },
    ]);
    const bad: LinkFact = { name: d("e"), link: { state: "invalid", location: "/link", reason: "is empty" } };
    expect(findIn({ manifests, layerLinks: [...linked(d("c")), alias, bad], blob })).toMatchObject([
      { ...canonical, cause: "link-invalid", place: "/link" },
    ]);
  });

  test("cannot be linked again without the link that says where its data is", () => {
    expect(findIn({ manifests, layerLinks: linked(d("c"), d("e")), blob })).toMatchObject([
      { ...finding, kind: "layer", cause: "blob-missing", remedy: "rebuild" },
    ]);
  });

  test("counts as there when its image could be linked again", () => {
    const found = findIn({ manifests, layerLinks, blob, revisions: linked(d("a")) });
    expect(found).toMatchObject([{ kind: "index-child", cause: "link-missing", remedy: "relink" }]);
  });
});

test("a blob of zero bytes is sound where its digest stands for nothing, by any algorithm", () => {
  const nothing: Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const name: Digest =
    "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
  const empty = { role: "layer", sizeBytes: 0 } as const;
  const blobs = [
    { digest: nothing, ...empty },
    { digest: name, ...empty },
  ];
  const manifests = new Map([[d("a"), parsed({ type: "image", blobs })]]);
  const alias: LinkFact = { name, link: { state: "linked", digest: nothing } };
  const facts = { manifests, revisions: linked(d("a")), layerLinks: [...linked(nothing), alias] };
  expect(findIn({ ...facts, blob: () => ({ state: "present", sizeBytes: 0 }) })).toEqual([]);
});

describe("an index whose entries are blobs", () => {
  const cache = parsed({
    type: "index",
    blobs: [
      { digest: d("c"), role: "config", sizeBytes: 10 },
      { digest: d("d"), role: "layer", sizeBytes: 10 },
    ],
  });
  const facts = { manifests: new Map([[d("a"), cache]]), revisions: linked(d("a")) };

  test("is sound when the repository links them as blobs", () => expect(findIn(facts)).toEqual([]));

  test("lacks what is missing of them, as an image does", () => {
    expect(findIn(facts, { [d("d")]: missing })).toMatchObject([
      { ...common, kind: "layer", cause: "blob-missing", digest: d("d"), parent: d("a"), remedy: "rebuild" },
    ]);
    expect(findIn({ ...facts, layerLinks: linked(d("c")) })).toMatchObject([
      { ...common, kind: "layer-link", cause: "link-missing", digest: d("d"), remedy: "relink" },
    ]);
  });
});
