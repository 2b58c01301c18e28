import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inUseArtifactType } from "../../../../contract/in-use-report.ts";
import { defaultMaxAgeMs } from "../../../../scripts/in-use-list/check-in-use.ts";
import { parseInUseOrigin, readInUseList } from "../../../../scripts/in-use-list/read-in-use.ts";
import { digestOf } from "../../../../scripts/registry/digest.ts";
import { inUseDocument } from "../../../support/in-use-document.ts";
import { temporaryDirectory } from "../../../support/program.ts";
import { privateStore } from "../../../support/store/store.ts";

const now = Date.UTC(2026, 10, 22, 3);
const rules = { instances: ["registry.example:5050"], now, maxAgeMs: defaultMaxAgeMs };
const [pinned, pulled] = [digestOf(Buffer.from("pinned")), digestOf(Buffer.from("pulled"))];
const images = [
  { repository: "team/app", tag: "v1", digest: pinned, digests: [pulled] },
  { repository: "team/app", tag: null, digest: pulled, digests: [] },
  { repository: "team/db", tag: "latest", digest: null, digests: [] },
];

async function readDocument(document: unknown, given = rules) {
  const path = join(await temporaryDirectory(), "in-use.json");
  await writeFile(path, typeof document === "string" ? document : JSON.stringify(document));
  const list = await readInUseList({ kind: "file", path }, () => undefined, given);
  return list.state === "usable" ? list : { ...list, text: list.text.replaceAll(path, "FILE") };
}

test("a list names the tags and digests in use of each repository", async () => {
  const list = await readDocument(inUseDocument({ now, images }));
  if (list.state !== "usable") throw new Error(list.text);
  expect(list.readAt).toBe(now - 60_000);
  expect(list.repositories).toEqual(
    new Map([
      ["team/app", { tags: new Set(["v1"]), digests: new Set([pinned, pulled]) }],
      ["team/db", { tags: new Set(["latest"]), digests: new Set() }],
    ]),
  );
});

describe("a list is of no use when", () => {
  const other = { images, registries: [{ name: "other.example", complete: true }] };
  test.each([
    [
      "it is older than a day, counted from when the cluster was read",
      { now: now - defaultMaxAgeMs + 59_000, images },
      "stale",
      /^FILE is of 2026-11-21T02:59:59.000Z, older than 24 hours/,
    ],
    ["it is of a time to come", { now: now + 3_600_000, images }, "future", /one of the clocks is wrong/],
    [
      "the run could not check everything",
      { now, images, complete: false },
      "incomplete",
      /FILE is incomplete/,
    ],
    [
      "it is about another registry",
      { now, ...other },
      "foreign",
      /about other.example, and not about registry.example:5050/,
    ],
    ["it names no image", { now, images: [] }, "incomplete", /names no image of registry.example:5050/],
  ])("%s", async (_, given, reason, text) => {
    expect(await readDocument(inUseDocument(given))).toEqual({
      state: "unusable",
      reason,
      text: expect.stringMatching(text),
    });
  });

  test.each([
    ["it is no JSON", "{", /FILE is not JSON/],
    [
      "it is another document",
      { ...inUseDocument({ now, images }), schema: "regwarden/scan/v1" },
      /schema: is not regwarden\/in-use\/v1/,
    ],
    [
      "a digest in it is none",
      inUseDocument({ now, images: [{ repository: "a", tag: "b", digest: "sha256:0", digests: [] }] }),
      /images.0.digest: is not a digest/,
    ],
    [
      "its time is none",
      { ...inUseDocument({ now, images }), finishedAt: "yesterday" },
      /finishedAt: is not a time/,
    ],
  ])("%s", async (_, document, text) => {
    expect(await readDocument(document)).toMatchObject({
      reason: "unreadable",
      text: expect.stringMatching(text),
    });
  });

  test("it is missing", async () => {
    const path = join(await temporaryDirectory(), "in-use.json");
    const list = await readInUseList({ kind: "file", path }, () => undefined, rules);
    expect(list).toMatchObject({ state: "unusable", text: expect.stringContaining("it is missing") });
  });
});

test("a list of exactly a day is of use still", async () => {
  const list = await readDocument(inUseDocument({ now: now - defaultMaxAgeMs + 60_000, images }));
  expect(list.state).toBe("usable");
});

test.each([
  ["in-use.json", { kind: "file", path: "in-use.json" }],
  [
    "tag:private/regwarden/in-use:latest",
    { kind: "tag", registry: "private", repository: "regwarden/in-use", tag: "latest" },
  ],
  ["tag:private/regwarden/in-use", undefined],
  ["tag:in-use:latest", undefined],
  ["", undefined],
])("--in-use %s", (given, expected) => {
  expect(parseInUseOrigin(given)).toEqual(expected);
});

describe("a list that was pushed to the registry", () => {
  const origin = { kind: "tag", registry: "private", repository: "regwarden/in-use", tag: "latest" } as const;
  async function pushed(mediaType = inUseArtifactType, copies = 1) {
    const { store } = await privateStore();
    const text = JSON.stringify(inUseDocument({ now, images }));
    const layer = await store.layer("regwarden/in-use", text);
    const config = await store.layer("regwarden/in-use", "{}");
    await store.manifest(
      "regwarden/in-use",
      {
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        artifactType: mediaType,
        config: { mediaType: "application/vnd.oci.empty.v1+json", digest: config, size: 2 },
        layers: Array.from({ length: copies }, (_, index) => ({
          mediaType,
          digest: index === 0 ? layer : pinned,
          size: text.length,
        })),
      },
      "latest",
    );
    const read = () =>
      readInUseList(origin, (name) => (name === "private" ? store.directory : undefined), rules);
    return { store, layer, read };
  }

  test("is read from its store", async () => {
    const { read } = await pushed();
    const list = await read();
    expect(list.state === "usable" && [...list.repositories.keys()]).toEqual(["team/app", "team/db"]);
  });

  test("is of no use when the tag, its manifest or its layer cannot be read", async () => {
    const { store, layer, read } = await pushed();
    await store.put(store.blobData(layer), "{");
    expect(await read()).toMatchObject({ state: "unusable", text: expect.stringContaining("is not JSON") });
    await store.put(store.tagLink("regwarden/in-use", "latest"), "torn");
    expect(await read()).toMatchObject({
      state: "unusable",
      text: expect.stringContaining("exactly a digest"),
    });
    const missing = await readInUseList({ ...origin, tag: "v1" }, () => store.directory, rules);
    expect(missing).toMatchObject({ text: expect.stringContaining("there is no such tag") });
    const nowhere = await readInUseList({ ...origin, registry: "other" }, () => undefined, rules);
    expect(nowhere).toMatchObject({ text: expect.stringContaining("no registry other here") });
  });

  test("is of no use when it has more than one layer", async () => {
    const { read } = await pushed(inUseArtifactType, 2);
    expect(await read()).toMatchObject({ text: expect.stringContaining("it has 2 layers") });
  });
});
