import { describe, expect, test } from "vitest";
import type { RepairChange } from "../../../../contract/repair-report.ts";
import { type Digest, digestOf } from "../../../../scripts/registry/digest.ts";
import type { CandidateCopy, CopiesFound } from "../../../../scripts/repair/copies-found.ts";
import type { DamagedRepository } from "../../../../scripts/repair/damaged-repository.ts";
import type { ParsedManifest } from "../../../../scripts/repair/find-copies.ts";
import { planRepair } from "../../../../scripts/repair/plan.ts";
import {
  altered,
  alteredManifest,
  badLink,
  type GivenRepository,
  image,
  index,
  missing,
  missingManifest,
  otherLength,
  sampleRepository,
  sha512,
  unreadable,
} from "../../../support/store/damaged-repository.ts";
import { child, d, link, linked, parsed } from "../../../support/store/facts.ts";

const copy = (digest: Digest, sizeBytes = 10, source = "cache"): CandidateCopy => ({
  source,
  repository: "",
  digest,
  sizeBytes,
});
const copiesOf = (...copies: readonly CandidateCopy[]): CopiesFound =>
  new Map(copies.map((one) => [one.digest, [one]]));
const nothing = digestOf(new Uint8Array());

function plan(
  repositories: readonly DamagedRepository[],
  copies: CopiesFound = new Map(),
  { tagLinks = false } = {},
) {
  const planned = planRepair(repositories, new Map([["private", copies]]), {
    tagLinks,
    instance: "REGISTRY",
  });
  const changes = planned.steps.flatMap((step) => step.changes).map(inWords);
  return { ...planned, changes };
}

function inWords({ kind, digest, target, tag, from, replaces }: RepairChange): string {
  const about = [kind, tag, nameOf(digest), target === digest ? null : `as ${nameOf(target)}`];
  const rest = [from === null ? null : `from ${from}`, replaces === null ? null : `as it ${replaces}`];
  return [...about, ...rest].filter((word) => word !== null).join(" ");
}

const nameOf = (digest: string) =>
  digest === nothing ? "nothing" : (digest.split(":")[1] ?? "").slice(0, 1);

describe("a plan for one image", () => {
  test("has neither steps nor images where nothing is missing", () => {
    expect(plan([sampleRepository()])).toEqual({ steps: [], images: [], changes: [] });
  });

  test.each<[string, GivenRepository, CopiesFound, readonly string[], object]>([
    [
      "puts a link to a manifest back",
      { revisions: linked(d("a")) },
      copiesOf(),
      ["revision-link b"],
      { remedy: "relink", completeAfterwards: true, hints: [] },
    ],
    [
      "puts a link to a blob back, and replaces one that is bad",
      { layerLinks: [badLink(d("c"))] },
      copiesOf(),
      ["layer-link c as it is empty", "layer-link e"],
      { remedy: "relink", completeAfterwards: true },
    ],
    [
      "takes a layer link for a manifest's own, as the registry does",
      { revisions: linked(d("a")), layerLinks: linked(d("b"), d("c"), d("e")) },
      copiesOf(),
      [],
      {},
    ],
    [
      "copies a blob, and puts the link to the manifest back after it",
      { revisions: linked(d("a")), blobs: { [d("e")]: altered } },
      copiesOf(copy(d("e"))),
      ["blob e from cache as it has other bytes", "revision-link b"],
      { remedy: "recopy", completeAfterwards: true },
    ],
    [
      "links no manifest that stays without a layer",
      { revisions: linked(d("a")), blobs: { [d("e")]: missing } },
      copiesOf(),
      [],
      { remedy: "rebuild", completeAfterwards: false },
    ],
    [
      "takes no copy of another length than the manifest promises",
      { blobs: { [d("e")]: missing } },
      copiesOf(copy(d("e"), 9)),
      [],
      { remedy: "rebuild", missing: [{ what: "layer", cause: "blob-missing", remedy: "rebuild" }] },
    ],
    [
      "replaces no bytes that match their digest, whatever the manifest promises",
      { blobs: { [d("e")]: otherLength } },
      copiesOf(copy(d("e"))),
      [],
      { remedy: "rebuild", missing: [{ what: "layer", cause: "size-mismatch", remedy: "rebuild" }] },
    ],
    [
      "replaces no blob that could not be read",
      { blobs: { [d("e")]: unreadable } },
      copiesOf(copy(d("e"))),
      [],
      { remedy: "rebuild", missing: [{ reason: "could not be read (EIO)" }] },
    ],
    [
      "links nothing where the list of links could not be read",
      { layerLinks: [{ name: null, link: { state: "unreadable", location: "/_layers", reason: "EACCES" } }] },
      copiesOf(),
      [],
      { remedy: "rebuild" },
    ],
    [
      "copies a manifest, and what is missing below it",
      {
        revisions: linked(d("a")),
        layerLinks: [],
        manifests: { [d("b")]: missingManifest },
        copied: new Map([[d("b"), image(d("c"), d("e")) as ParsedManifest]]),
        blobs: { [d("e")]: missing },
      },
      copiesOf(copy(d("b"), 500), copy(d("e"))),
      ["layer-link c", "blob e from cache", "layer-link e", "blob b from cache", "revision-link b"],
      { remedy: "recopy", completeAfterwards: true },
    ],
    [
      "brings nothing back below a manifest that no source has",
      { revisions: linked(d("a")), manifests: { [d("b")]: alteredManifest } },
      copiesOf(),
      [],
      {
        remedy: "rebuild",
        missing: [{ what: "manifest", reason: "has other bytes" }, { what: "revision-link" }],
      },
    ],
    [
      "leaves an index that is wrong about a child's length to the next push",
      {
        manifests: {
          [d("a")]: parsed({
            type: "index",
            children: [child(d("b"), { sizeBytes: 7 })],
          }),
        },
      },
      copiesOf(),
      [],
      { remedy: "rebuild", missing: [{ what: "manifest", cause: "size-mismatch" }] },
    ],
    [
      "writes the empty blob without a source",
      {
        manifests: {
          [d("b")]: parsed({ type: "image", blobs: [{ digest: nothing, role: "layer", sizeBytes: 0 }] }, 500),
        },
        layerLinks: linked(nothing),
        blobs: { [nothing]: missing },
      },
      copiesOf(),
      ["blob nothing"],
      { remedy: "relink", completeAfterwards: true, missing: [{ what: "layer", remedy: "relink" }] },
    ],
    [
      "brings back the blobs that an index names, as a build cache does",
      {
        manifests: {
          [d("a")]: parsed({ type: "index", blobs: [{ digest: d("e"), role: "layer", sizeBytes: 10 }] }, 500),
          [d("b")]: image(d("c")),
        },
        layerLinks: linked(d("c")),
        blobs: { [d("e")]: missing },
      },
      copiesOf(copy(d("e"))),
      ["blob e from cache", "layer-link e"],
      { remedy: "recopy", completeAfterwards: true },
    ],
  ])("%s", (_, given, copies, changes, image) => {
    const planned = plan([sampleRepository(given)], copies);
    expect(planned.changes).toEqual(changes);
    expect(planned.images).toMatchObject(Object.keys(image).length > 0 ? [image] : []);
  });

  test("leaves an index of indexes unlinked while anything below it is missing, but brings back what is complete", () => {
    const manifests = { [d("f")]: index(d("a"), d("9")), [d("9")]: missingManifest };
    const tags = [link("outer", d("f")), link("1", d("a"))];
    const { changes, images } = plan([sampleRepository({ manifests, tags, revisions: linked(d("9")) })]);
    expect(changes).toEqual(["revision-link b", "revision-link a"]);
    expect(images).toMatchObject([
      { tag: "1", completeAfterwards: true, steps: [0, 1] },
      { tag: "outer", completeAfterwards: false, steps: [0, 1] },
    ]);
  });

  test("makes a step need those below it, and hold all that its last link leads to", () => {
    const { steps } = plan([sampleRepository({ revisions: [] })]);
    expect(steps).toMatchObject([
      { needs: [], holds: [d("c"), d("e"), d("b")] },
      { needs: [0], holds: [d("a"), d("b")] },
    ]);
  });

  test("ends where indexes name each other in a circle", () => {
    const manifests = { [d("b")]: index(d("a")) };
    expect(plan([sampleRepository({ manifests, revisions: [] })]).changes).toEqual([]);
  });
});

describe("what was pushed under another algorithm", () => {
  const manifests = {
    [d("b")]: parsed({ type: "image", blobs: [{ digest: sha512("e"), role: "layer", sizeBytes: 10 }] }, 500),
  };
  const both = [link(sha512("e"), d("e")), ...linked(d("e"))];

  test.each<[string, GivenRepository, CopiesFound, readonly string[]]>([
    ["is complete by the link that leads to it", { layerLinks: both }, copiesOf(), []],
    [
      "gets its link again where its content was found",
      { layerLinks: linked(d("e")), canonical: new Map([[sha512("e"), d("e")]]) },
      copiesOf(),
      ["layer-link e as e"],
    ],
    [
      "gets the right link in place of one to other content",
      {
        layerLinks: [link(sha512("e"), d("c")), ...linked(d("e"))],
        canonical: new Map([[sha512("e"), d("e")]]),
      },
      copiesOf(),
      [`layer-link e as e as it leads to ${d("c")}, which is other content`],
    ],
    [
      "gets the link of the digest under which the store keeps it",
      { layerLinks: [link(sha512("e"), d("e"))] },
      copiesOf(),
      ["layer-link e"],
    ],
    [
      "is copied under the digest that its link holds",
      { layerLinks: both, blobs: { [d("e")]: missing } },
      copiesOf(copy(d("e"))),
      ["blob e as e from cache"],
    ],
    [
      "is left alone where its content is not in the store and no link says what it was",
      { layerLinks: linked(d("e")), canonical: new Map([[sha512("e"), null]]) },
      copiesOf(copy(d("e"))),
      [],
    ],
  ])("%s", (_, given, copies, changes) => {
    expect(plan([sampleRepository({ manifests, ...given })], copies).changes).toEqual(changes);
  });
});

describe("a tag without a usable link", () => {
  const given = { tags: [badLink("1")], history: new Map([["1", d("a")]]) };

  test("is pointed at the only manifest that it ever led to, when that is asked for", () => {
    const { changes, images } = plan([sampleRepository(given)], copiesOf(), { tagLinks: true });
    expect(changes).toEqual(["tag-link 1 a as it is empty"]);
    expect(images).toMatchObject([{ tag: "1", remedy: "relink", completeAfterwards: true }]);
  });

  test.each<[string, GivenRepository, boolean]>([
    ["without being asked for", given, false],
    ["at a manifest that stays incomplete", { ...given, blobs: { [d("e")]: missing } }, true],
    ["when it can have meant several", { ...given, history: new Map() }, true],
  ])("is pointed nowhere %s", (_, repository, tagLinks) => {
    const { changes, images } = plan([sampleRepository(repository)], copiesOf(), { tagLinks });
    expect(changes).toEqual([]);
    expect(images).toMatchObject([{ tag: "1", remedy: "rebuild", completeAfterwards: false }]);
  });
});

describe("what no tag leads to", () => {
  test("is relinked", () => {
    const { changes, images } = plan([sampleRepository({ tags: [], revisions: linked(d("a")) })]);
    expect(changes).toEqual(["revision-link b"]);
    expect(images).toMatchObject([{ tag: null, digest: d("a"), completeAfterwards: true }]);
  });

  test("gets no copies, and is not listed as an image to repair", () => {
    const repository = sampleRepository({ tags: [], blobs: { [d("e")]: missing } });
    expect(plan([repository], copiesOf(copy(d("e"))))).toMatchObject({ steps: [], images: [] });
  });

  test.each([["before"], ["after"]])(
    "gets what a tag of a repository %s it in the list brings into the registry",
    (position) => {
      const blobs = { [d("e")]: missing };
      const untagged = sampleRepository({
        repository: "untagged",
        tags: [],
        revisions: linked(d("a")),
        blobs,
      });
      const tagged = sampleRepository({ repository: "tagged", blobs });
      const repositories = position === "before" ? [tagged, untagged] : [untagged, tagged];
      const { changes } = plan(repositories, copiesOf(copy(d("e"))));
      expect(changes).toEqual(["blob e from cache", "blob e from cache", "revision-link b"]);
    },
  );
});
