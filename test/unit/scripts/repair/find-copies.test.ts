import { describe, expect, test } from "vitest";
import type { CopySource } from "../../../../scripts/repair/copy-source.ts";
import { createCopySearch } from "../../../../scripts/repair/find-copies.ts";
import type { BlobState, ManifestState } from "../../../../scripts/source/source.ts";
import {
  image,
  missing,
  missingManifest,
  sha512,
  sound,
  unreadable,
} from "../../../support/store/damaged-repository.ts";
import { d, parsed } from "../../../support/store/facts.ts";

interface Answers {
  /** By `REPOSITORY DIGEST`; others are missing. */
  readonly blobs?: Readonly<Record<string, BlobState>>;
  readonly manifests?: Readonly<Record<string, ManifestState>>;
  readonly repositoryFor?: CopySource["repositoryFor"];
}

/** A source with given answers, and the questions that it was asked. */
function sourceOf(label: string, { blobs = {}, manifests = {}, repositoryFor = (name) => name }: Answers) {
  const asked: string[] = [];
  const answer =
    <T>(answers: Readonly<Record<string, T>>, otherwise: T) =>
    async (...question: string[]) => {
      asked.push(question.join(" "));
      return answers[question.join(" ")] ?? otherwise;
    };
  const source: CopySource["source"] = {
    blob: answer(blobs, missing),
    manifest: answer(manifests, missingManifest),
    content: async function* () {},
  };
  return { label, source, repositoryFor, asked };
}

describe("a search for copies of a blob", () => {
  test("asks a store once for a digest, whatever repositories lack it", async () => {
    const store = sourceOf("cache", { repositoryFor: () => "" });
    const { findBlob } = createCopySearch([store]);
    for (const repository of ["a", "b", "c"]) await findBlob(repository, d("e"));
    expect(store.asked).toEqual([` ${d("e")}`]);
  });

  test("asks a registry in one repository after the other until it has the digest, and finds one copy", async () => {
    const registry = sourceOf("https://healthy", {
      blobs: { [`b ${d("e")}`]: sound, [`c ${d("e")}`]: sound },
    });
    const { findBlob, found } = createCopySearch([registry]);
    for (const repository of ["a", "b", "c", "b"]) await findBlob(repository, d("e"));
    expect(registry.asked).toEqual([`a ${d("e")}`, `b ${d("e")}`]);
    expect([...found]).toEqual([
      [d("e"), [{ source: "https://healthy", repository: "b", digest: d("e"), sizeBytes: 10 }]],
    ]);
  });

  test("finds one copy a source, in their order, and none whose bytes differ", async () => {
    const altered: BlobState = { state: "present", sizeBytes: 10, isAltered: true };
    const sources = [
      sourceOf("one", { blobs: { [`app ${d("e")}`]: sound } }),
      sourceOf("two", { blobs: { [`app ${d("e")}`]: altered } }),
      sourceOf("three", { blobs: { [`app ${d("e")}`]: sound } }),
    ];
    const { findBlob, found } = createCopySearch(sources);
    await findBlob("app", d("e"));
    expect(found.get(d("e"))?.map(({ source }) => source)).toEqual(["one", "three"]);
  });

  test("asks by the digest that content was pushed under where a registry does not know the store's", async () => {
    const registry = sourceOf("https://healthy", { blobs: { [`app ${sha512("e")}`]: sound } });
    const { findBlob, found } = createCopySearch([registry]);
    await findBlob("app", d("e"), sha512("e"));
    expect(registry.asked).toEqual([`app ${d("e")}`, `app ${sha512("e")}`]);
    expect(found.get(d("e"))).toMatchObject([{ digest: sha512("e") }]);
  });

  test.each<[string, BlobState, string]>([
    ["a store that cannot be read", unreadable, "E_STORE_UNREADABLE"],
    [
      "a registry that does not answer",
      { state: "unreadable", kind: "unavailable", location: "https://healthy/v2/", reason: "ECONNREFUSED" },
      "E_REGISTRY_UNREACHABLE",
    ],
  ])("ends at %s, as a plan without it would promise less than there is", async (_, state, code) => {
    const { findBlob } = createCopySearch([sourceOf("cache", { blobs: { [`app ${d("e")}`]: state } })]);
    await expect(findBlob("app", d("e"))).rejects.toMatchObject({ code });
  });
});

describe("a search for copies of a manifest", () => {
  test("takes the first source that has it, and asks no more", async () => {
    const manifests = { [`app ${d("b")}`]: image(d("c")) };
    const [first, second] = [sourceOf("one", { manifests }), sourceOf("two", { manifests })];
    const { findManifest, found } = createCopySearch([first, second]);
    for (let time = 0; time < 2; time++) expect(await findManifest("app", d("b"))).toEqual(image(d("c")));
    expect([first.asked.length, second.asked.length]).toEqual([1, 0]);
    expect(found.get(d("b"))).toEqual([{ source: "one", repository: "app", digest: d("b"), sizeBytes: 500 }]);
  });

  test.each<[string, ManifestState]>([
    ["is missing", { state: "missing" }],
    ["has other bytes", { state: "altered" }],
    ["is no manifest", { state: "unreadable", location: "/b", reason: "is not JSON", isUnparsable: true }],
    ["comes without the bytes that the digest stands for", parsed({ type: "image" })],
  ])("goes on to the next source where it %s", async (_, state) => {
    const sources = [
      sourceOf("one", { manifests: { [`app ${d("b")}`]: state } }),
      sourceOf("two", { manifests: { [`app ${d("b")}`]: image(d("c")) } }),
    ];
    const { findManifest, found } = createCopySearch(sources);
    await findManifest("app", d("b"));
    expect(found.get(d("b"))).toMatchObject([{ source: "two" }]);
  });
});
