import { describe, expect, test } from "vitest";
import { remark } from "../../../../scripts/mark/remark.ts";
import { diskSource } from "../../../../scripts/source/disk/registry.ts";
import { digest, image, index } from "../../../support/images/oci-content.ts";
import { age, atOnce, day, hour, markStore, namesOf } from "../../../support/store/marks.ts";
import { privateStore } from "../../../support/store/store.ts";

describe("a mark", () => {
  test("reaches all that a tag needs, through an index and its children", async () => {
    const { store } = await privateStore();
    await store.push("app", index([image("a", "linux/amd64"), image("b", "linux/arm64")]), "1");
    const mark = await markStore(store.directory);
    expect(mark.unreached).toEqual([]);
    expect(mark.kept).toMatchObject({ manifests: 3, blobs: 7 });
    expect([...mark.completeTags.keys()]).toEqual(["app:1"]);
  });

  test("finds dead what no tag needs: links first, then the blobs", async () => {
    const { store } = await privateStore();
    const content = image("a", "linux/amd64");
    await store.push("app", content);
    const mark = await markStore(store.directory);
    const [config, layer] = content.parts.map(digest);
    expect(namesOf(mark.dead)).toEqual(
      [
        `blob ${digest(content)}`,
        `blob ${config}`,
        `blob ${layer}`,
        `layer-link app ${config}`,
        `layer-link app ${layer}`,
        `revision-link app ${digest(content)}`,
      ].sort(),
    );
    expect(mark.dead.findIndex(({ kind }) => kind === "blob")).toBe(3);
  });
});

test("what is younger than the grace is spared, with all that it needs", async () => {
  const { store } = await privateStore();
  const [old, young] = [image("a", "linux/amd64"), image("b", "linux/amd64")];
  await store.push("app", old);
  await store.push("app", young);
  await age(store.directory, day);
  expect((await markStore(store.directory, { graceMs: hour })).dead).toHaveLength(12);
  // Of the other image, its manifest alone was written again: its layers were there.
  await store.manifest("app", young.bytes);
  const mark = await markStore(store.directory, { graceMs: hour });
  expect(mark.dead).toHaveLength(6);
  expect(mark.spared).toMatchObject({ young: 2 });
});

test("what is tagged after a mark is needed when it is marked again", async () => {
  const { store } = await privateStore();
  const content = image("a", "linux/amd64");
  await store.push("app", content);
  const source = diskSource("private", store.directory);
  const mark = await markStore(store.directory);
  await store.manifest("app", content.bytes, "1");
  expect(namesOf([...(await remark(source, mark, mark.dead, atOnce)).keys()])).toEqual(namesOf(mark.dead));
});
