import { rm, utimes } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { remark } from "../../../../scripts/mark/remark.ts";
import { revisionsPath } from "../../../../scripts/registry/paths.ts";
import { diskSource } from "../../../../scripts/source/disk/registry.ts";
import { type Content, digest, image } from "../../../support/images/oci-content.ts";
import { age, atOnce, day, hour, markStore, namesOf } from "../../../support/store/marks.ts";
import { privateStore, type Store } from "../../../support/store/store.ts";

const amd64 = "linux/amd64";

/** What of the dead things of a store is needed after something was done to it since the mark. */
async function afterMark(change: (store: Store, dead: Content) => Promise<unknown>) {
  const { store } = await privateStore();
  const dead = image("dead", amd64);
  await store.push("app", dead);
  await store.push("app", image("other", amd64));
  await store.push("quiet", image("kept", amd64), "1");
  await age(store.directory, day);
  const mark = await markStore(store.directory, { graceMs: hour });
  expect(mark.dead).toHaveLength(12);
  await change(store, dead);
  const reasons = await remark(diskSource("private", store.directory), mark, mark.dead, atOnce);
  const all = namesOf([...reasons.keys()]);
  const ofDead = namesOf(
    mark.dead.filter((thing) => [dead, ...dead.parts].some((part) => digest(part) === thing.digest)),
  );
  return { all, ofDead, reasons: [...new Set(reasons.values())] };
}

describe("when writes are held, of what a mark found dead is needed", () => {
  test("nothing, when nothing was pushed", async () => {
    expect((await afterMark(async () => {})).all).toEqual([]);
  });

  test("nothing, when nothing was pushed since, but shortly before", async () => {
    const { store } = await privateStore();
    await store.push("app", image("dead", amd64));
    const mark = await markStore(store.directory);
    expect(mark.dead).toHaveLength(6);
    expect((await remark(diskSource("private", store.directory), mark, mark.dead, atOnce)).size).toBe(0);
  });

  test("an image that was tagged since, by its manifest alone", async () => {
    const { all, ofDead } = await afterMark((store, dead) =>
      Promise.all([
        store.put(store.revisionLink("app", digest(dead)), digest(dead)),
        store.put(store.tagLink("app", "new"), digest(dead)),
      ]),
    );
    expect(all).toEqual(ofDead);
  });

  test("an image to which a tag was moved that was there", async () => {
    const { all, ofDead } = await afterMark((store, dead) =>
      store.put(store.tagLink("quiet", "1"), digest(dead)),
    );
    // The links of another repository do not serve it.
    expect(all.length).toBeGreaterThan(0);
    expect(all.every((name) => name.startsWith("blob") && ofDead.includes(name))).toBe(true);
  });

  test("a manifest that was pushed again without a tag, and its layers", async () => {
    const { all, ofDead } = await afterMark((store, dead) =>
      store.put(store.revisionLink("app", digest(dead)), digest(dead)),
    );
    expect(all).toEqual(ofDead);
  });

  test("a layer that was mounted into another repository", async () => {
    const { all } = await afterMark((store, { parts: [part] }) =>
      part ? store.put(store.layerLink("quiet", digest(part)), digest(part)) : Promise.resolve(),
    );
    expect(all).toHaveLength(1);
    expect(all[0]).toMatch(/^blob /);
  });

  test("the same, when the times of files lag behind the clock", async () => {
    const { all } = await afterMark(async (store, { parts: [part] }) => {
      if (!part) return;
      const link = store.layerLink("quiet", digest(part));
      await store.put(link, digest(part));
      const lagging = new Date(Date.now() - 300);
      for (const path of [link, dirname(link)]) await utimes(path, lagging, lagging);
    });
    expect(all).toHaveLength(1);
    expect(all[0]).toMatch(/^blob /);
  });

  test("a layer that was pushed again, with its link", async () => {
    const { all, reasons } = await afterMark((store, { parts: [part] }) =>
      part ? store.put(store.layerLink("app", digest(part)), digest(part)) : Promise.resolve(),
    );
    expect(all.map((name) => name.split(" ")[0])).toEqual(["blob", "layer-link"]);
    expect(reasons).toEqual(["was pushed again since"]);
  });

  test("what a new repository needs", async () => {
    const { all, ofDead } = await afterMark((store) => store.push("new/one", image("dead", amd64), "1"));
    expect(all).toEqual(ofDead.filter((name) => name.startsWith("blob")));
  });

  test("nothing of a new image of its own", async () => {
    expect((await afterMark((store) => store.push("app", image("fresh", amd64), "fresh"))).all).toEqual([]);
  });

  test("every blob, when a manifest came that cannot be read", async () => {
    const { all } = await afterMark((store) => store.manifest("quiet", "{", "2"));
    expect(all).toHaveLength(6);
  });

  test("every blob, when a directory cannot be read any more", async () => {
    const { all } = await afterMark(async (store) => {
      await rm(revisionsPath(store.directory, "quiet"), { recursive: true });
      await store.put(revisionsPath(store.directory, "quiet"), "a file");
    });
    expect(all).toHaveLength(6);
  });

  test("nothing of what went meanwhile", async () => {
    const { all } = await afterMark((store, dead) =>
      rm(dirname(store.blobData(digest(dead))), { recursive: true }),
    );
    expect(all).toEqual([]);
  });
});
