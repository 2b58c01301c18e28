import { describe, expect, test } from "vitest";
import { findStoreFaults, sortFindings } from "../../../../scripts/graph/findings.ts";
import type { Digest } from "../../../../scripts/registry/digest.ts";
import type { ChildDescriptor } from "../../../../scripts/registry/manifest.ts";
import { describeFinding } from "../../../../scripts/report/describe-finding.ts";
import type { StoreFacts } from "../../../../scripts/source/facts.ts";
import type { BlobState, LinkFact, ManifestState } from "../../../../scripts/source/source.ts";
import { child, d, link, linked, parsed, storeFacts } from "../../../support/store/facts.ts";

const attested = (digest: Digest) => child(digest, { platform: "unknown/unknown", isAttestation: true });
const indexOf = (...children: ChildDescriptor[]): ManifestState => parsed({ type: "index", children });
const imageOf = (...blobs: Digest[]): ManifestState =>
  parsed({ type: "image", blobs: blobs.map((digest) => ({ digest, role: "layer", sizeBytes: null })) });
const unreadable = { state: "unreadable", location: "/data/x", reason: "EACCES" } as const;

function findIn(facts: Partial<StoreFacts>) {
  return findStoreFaults(storeFacts(facts)).map((finding) => describeFinding(finding, "store"));
}

describe("a child that is not linked", () => {
  const tags = [link("2", d("a")), link("1", d("a"))];
  const revisions = linked(d("a"));

  test("is critical when a tag needs it for a real platform, and can be relinked while its data is there", () => {
    const manifests = new Map([
      [d("a"), indexOf(child(d("b")))],
      [d("b"), imageOf(d("c"))],
    ]);
    expect(findIn({ tags, revisions, manifests, layerLinks: linked(d("c")) })).toEqual([
      {
        kind: "index-child",
        cause: "link-missing",
        severity: "critical",
        registry: "private",
        repository: "app",
        digest: d("b"),
        parent: d("a"),
        tags: ["1", "2"],
        platform: "linux/amd64",
        place: null,
        remedy: "relink",
        message: expect.stringContaining("Tags 1, 2 cannot be pulled for linux/amd64."),
        hint: expect.stringContaining("mkdir -p"),
      },
    ]);
  });

  test.each<[string, ManifestState]>([
    ["missing", { state: "missing" }],
    ["empty", { state: "empty" }],
  ])("must be rebuilt when its data is %s", (_what, state) => {
    const manifests = new Map([
      [d("a"), indexOf(child(d("b")))],
      [d("b"), state],
    ]);
    expect(findIn({ tags, revisions, manifests })).toMatchObject([{ remedy: "rebuild" }]);
  });

  test("is a warning when it is an attestation, or when no tag leads to it", () => {
    const manifests = new Map([[d("a"), indexOf(attested(d("b")))]]);
    expect(findIn({ tags, revisions, manifests })).toMatchObject([
      { severity: "warning", tags: ["1", "2"], platform: "unknown/unknown" },
    ]);
    const plain = new Map([[d("a"), indexOf(child(d("b")))]]);
    expect(findIn({ revisions, manifests: plain })).toMatchObject([{ severity: "warning", tags: [] }]);
  });

  test("is one finding with all tags, however many indexes name it, and the worst reference counts", () => {
    const manifests = new Map([
      [d("a"), indexOf(attested(d("e")))],
      [d("b"), indexOf(child(d("e"), { platform: "linux/arm64" }))],
      [d("c"), indexOf(child(d("e")))],
    ]);
    const found = findIn({
      tags: [link("x", d("a")), link("y", d("b"))],
      revisions: linked(d("a"), d("b"), d("c")),
      manifests,
    });
    expect(found).toMatchObject([
      { severity: "critical", parent: d("b"), platform: "linux/arm64", tags: ["x", "y"] },
    ]);
  });

  test("is found behind an index that is lost itself", () => {
    const manifests = new Map([
      [d("a"), indexOf(child(d("b"), { platform: null }))],
      [d("b"), indexOf(child(d("c")))],
    ]);
    expect(findIn({ tags, revisions, manifests })).toMatchObject([
      { digest: d("b"), parent: d("a"), platform: null, remedy: "rebuild" },
      { digest: d("c"), parent: d("b"), severity: "critical", tags: ["1", "2"], remedy: "rebuild" },
    ]);
  });

  test("below an attestation is no real platform's", () => {
    const manifests = new Map([
      [d("a"), indexOf(attested(d("b")))],
      [d("b"), indexOf(child(d("c")))],
    ]);
    const found = findIn({ tags, revisions: linked(d("a"), d("b")), manifests });
    expect(found).toMatchObject([{ digest: d("c"), severity: "warning", tags: ["1", "2"] }]);
  });

  test("does not make indexes that name each other run in a circle", () => {
    const manifests = new Map([
      [d("a"), indexOf(child(d("b")), child(d("c")))],
      [d("b"), indexOf(child(d("a")))],
    ]);
    const found = findIn({ tags, revisions: linked(d("a"), d("b")), manifests });
    expect(found).toMatchObject([{ digest: d("c"), tags: ["1", "2"] }]);
  });

  test("is a cache's own business", () => {
    const manifests = new Map([[d("a"), indexOf(child(d("b")))]]);
    expect(findIn({ mode: "cache", tags, revisions, manifests })).toEqual([]);
  });

  test("is not claimed when the list of links could not be read", () => {
    const manifests = new Map([[d("a"), indexOf(child(d("b")))]]);
    const found = findIn({ tags, revisions: [...revisions, { name: null, link: unreadable }], manifests });
    expect(found).toMatchObject([{ kind: "manifest", cause: "unreadable", digest: null }]);
  });

  test("says when its own blobs are gone, so that the link alone is not trusted", () => {
    const manifests = new Map([
      [d("a"), indexOf(child(d("b")))],
      [d("b"), imageOf(d("c"), d("d"))],
    ]);
    const blob = (digest: Digest): BlobState =>
      digest === d("c") ? { state: "missing" } : { state: "present", sizeBytes: 1 };
    const layerLinks = linked(d("d"));
    const [found, ...others] = findIn({ tags, revisions, manifests, blob, layerLinks });
    expect(others).toEqual([]);
    expect(found?.remedy).toBe("rebuild");
    expect(found?.message).toContain("1 of its 2 blobs are gone");
    expect(found?.hint).toContain("build and push again");
  });
});

describe("a manifest or tag that cannot be read", () => {
  test("is reported with those whom it hurts", () => {
    const tags = [link("1", d("a"))];
    const revisions = linked(d("a"), d("b"));
    const gone = (state: ManifestState) =>
      new Map([
        [d("a"), indexOf(child(d("b")))],
        [d("b"), state],
      ] as const);
    expect(findIn({ tags, revisions, manifests: gone({ state: "missing" }) })).toMatchObject([
      {
        kind: "manifest",
        cause: "blob-missing",
        severity: "critical",
        digest: d("b"),
        parent: d("a"),
        tags: ["1"],
      },
    ]);
    expect(findIn({ tags, revisions, manifests: gone({ state: "empty" }) })).toMatchObject([
      { kind: "manifest", cause: "blob-empty", severity: "critical", remedy: "rebuild" },
    ]);
    expect(findIn({ tags, revisions, manifests: gone(unreadable) })).toMatchObject([
      { kind: "manifest", cause: "unreadable", severity: "warning", remedy: "none", tags: ["1"] },
    ]);
  });

  test("counts as linked even if its link holds nonsense, and that is the finding", () => {
    const invalid = { state: "invalid", location: "/data/link", reason: "is empty" } as const;
    const found = findIn({
      tags: [link("1", d("a")), { name: "2", link: invalid }],
      revisions: [...linked(d("a")), { name: d("b"), link: invalid }],
      manifests: new Map([[d("a"), indexOf(child(d("b")))]]),
    });
    expect(found).toMatchObject([
      { kind: "tag", cause: "link-invalid", severity: "critical", digest: null, tags: ["2"] },
      { kind: "manifest", cause: "link-invalid", severity: "critical", digest: d("b"), tags: ["1"] },
    ]);
  });
});

describe("a layer link", () => {
  test.each<[string, LinkFact["link"], BlobState, object[]]>([
    ["is fine with a blob", { state: "linked", digest: d("a") }, { state: "present", sizeBytes: 1 }, []],
    [
      "needs its blob",
      { state: "linked", digest: d("a") },
      { state: "missing" },
      [{ cause: "blob-missing", remedy: "remove-link" }],
    ],
    [
      "needs more than no bytes",
      { state: "linked", digest: d("a") },
      { state: "present", sizeBytes: 0 },
      [{ cause: "blob-empty" }],
    ],
    ["leaves an unreadable blob to the store's finding", { state: "linked", digest: d("a") }, unreadable, []],
    [
      "must hold a digest",
      { state: "invalid", location: "/l", reason: "is empty" },
      { state: "missing" },
      [{ cause: "link-invalid" }],
    ],
    ["must be readable", unreadable, { state: "missing" }, [{ cause: "unreadable", remedy: "none" }]],
  ])("%s", (_what, link, state, expected) => {
    const common = { kind: "layer-link", severity: "warning", digest: d("a"), tags: [] };
    for (const mode of ["authoritative", "cache"] as const) {
      const found = findIn({ mode, layerLinks: [{ name: d("a"), link }], blob: () => state });
      expect(found).toMatchObject(expected.map((one) => ({ ...common, ...one })));
    }
  });

  test("may lead to the blob that is rightly empty", () => {
    const empty: Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const found = findIn({ layerLinks: linked(empty), blob: () => ({ state: "present", sizeBytes: 0 }) });
    expect(found).toEqual([]);
  });
});

test("findings are sorted worst first, whatever order they come in", () => {
  const manifests = new Map([[d("a"), indexOf(attested(d("b")), child(d("c")), child(d("d")))]]);
  const found = findIn({ tags: [link("1", d("a"))], revisions: linked(d("a")), manifests });
  const sorted = sortFindings(found);
  expect(sorted.map(({ digest }) => digest)).toEqual([d("c"), d("d"), d("b")]);
  expect(sortFindings(found.toReversed())).toEqual(sorted);
});
