import { appendFile, lstat, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../../../scripts/registry/digest.ts";
import { readRun } from "../../../../scripts/store-change/journal.ts";
import { closeRun } from "../../../../scripts/store-change/run-directory.ts";
import { createStoreWriter } from "../../../../scripts/store-change/store-writer.ts";
import type { Endangered } from "../../../../scripts/store-change/undo-plan.ts";
import { writeHealthyStore } from "../../../support/store/sample-stores.ts";
import { privateStore } from "../../../support/store/store.ts";
import { moveOut, startRun, undoRun } from "../../../support/store/store-change.ts";
import { treeOf } from "../../../support/store/tree.ts";

/** A healthy store of which a link's directory, a blob's and a link were moved into quarantine. */
async function movedOut() {
  const { root, store } = await privateStore();
  const image = await writeHealthyStore(store.directory);
  const paths = [
    dirname(store.revisionLink("app", image.manifest)),
    dirname(store.blobData(image.layer)),
    store.layerLink("app", image.config),
  ];
  const before = await snapshot(store.directory);
  const run = await startRun(root, "quarantine/run");
  expect(await moveOut(run, paths)).toEqual([]);
  return { root, store, image, paths, before, workDirectory: run.workDirectory };
}

/** Everything in a store with its content, owner, rights and the times of its files. */
async function snapshot(directory: string) {
  const tree = await treeOf(join(directory, "docker"));
  const entries = [...tree].map(async ([path, content]) => {
    const { uid, gid, mode, mtimeMs } = await lstat(join(directory, "docker", path));
    return [path, content, uid, gid, mode, content === null ? null : mtimeMs];
  });
  return Promise.all(entries);
}

describe("what was moved out of a store", () => {
  test("comes back byte for byte, with owners, rights and times", async () => {
    const { root, store, paths, before, workDirectory } = await movedOut();
    expect(await snapshot(store.directory)).toHaveLength(before.length - 5);

    const { steps, left } = await undoRun(root, workDirectory);

    expect(steps.map(({ does, path }) => [does, path])).toEqual(
      paths.toReversed().map((path) => ["move-back", path]),
    );
    expect(left).toEqual([]);
    expect(await snapshot(store.directory)).toEqual(before);
    expect((await undoRun(root, workDirectory)).steps).toEqual([]);
  });

  test("goes out again, and comes back again, as often as it is undone", async () => {
    const { root, store, before, workDirectory } = await movedOut();
    const out = await snapshot(store.directory);
    const undo = await undoRun(root, workDirectory);
    const redo = await undoRun(root, undo.workDirectory);
    expect(await snapshot(store.directory)).toEqual(out);
    await undoRun(root, redo.workDirectory);
    expect(await snapshot(store.directory)).toEqual(before);
    await undoRun(root, undo.workDirectory);
    await undoRun(root, workDirectory);
    expect(await snapshot(store.directory)).toEqual(before);
  });

  test("stays out where a push has written since, and the reason says where it is", async () => {
    const { root, store, image, workDirectory } = await movedOut();
    await store.put(store.blobData(image.layer), "pushed again");
    await store.put(store.layerLink("app", image.config), "pushed again");

    const { steps, done } = await undoRun(root, workDirectory);

    const stays = steps.filter(({ does }) => does === "leave");
    expect(stays.map(({ path }) => path)).toEqual([
      store.layerLink("app", image.config),
      dirname(store.blobData(image.layer)),
    ]);
    expect(stays[0]).toMatchObject({ reason: expect.stringContaining(join(workDirectory, "moved")) });
    expect(done).toEqual([dirname(store.revisionLink("app", image.manifest))]);
    expect(await readFile(store.blobData(image.layer), "utf8")).toBe("pushed again");
  });

  test("replaces an empty directory, and makes those again that are gone", async () => {
    const { root, store, image, before, workDirectory } = await movedOut();
    await mkdir(dirname(store.blobData(image.layer)));
    await rm(dirname(dirname(store.revisionLink("app", image.manifest))), { recursive: true });
    await rm(dirname(store.layerLink("app", image.config)), { recursive: true });

    expect((await undoRun(root, workDirectory)).left).toEqual([]);

    const paths = (await snapshot(store.directory)).map(([path, content]) => [path, content]);
    const expected = before.map(([path, content]) => [path, content]);
    // A neighbour that was removed by hand meanwhile is not the run's.
    const index = dirname(relative(join(store.directory, "docker"), store.revisionLink("app", image.index)));
    expect(paths).toEqual(expected.filter(([path]) => !String(path).startsWith(index)));
  });

  test("comes back with the directories above it that were moved after it, in one run", async () => {
    const { root, store } = await privateStore();
    const { layer } = await writeHealthyStore(store.directory);
    const before = await snapshot(store.directory);
    const link = store.layerLink("app", layer);
    const nested = [link, dirname(dirname(link)), dirname(dirname(dirname(dirname(link))))];
    const run = await startRun(root, "run");
    expect(await moveOut(run, nested)).toEqual([]);

    const undo = await undoRun(root, run.workDirectory);
    expect(undo.left).toEqual([]);
    expect(await snapshot(store.directory)).toEqual(before);
    await undoRun(root, undo.workDirectory);
    expect(await readdir(dirname(nested[2] ?? ""))).toEqual([]);
  });

  test("comes back although the directory above it was moved by a later run", async () => {
    const { root, store, paths, before, workDirectory } = await movedOut();
    const repository = dirname(dirname(dirname(dirname(dirname(paths[0] ?? "")))));
    expect(await moveOut(await startRun(root, "later"), [repository])).toEqual([]);
    await undoRun(root, join(root, ".regwarden", "later"));
    await undoRun(root, workDirectory);
    expect(await snapshot(store.directory)).toEqual(before);
  });
});

describe("what was written into a store", () => {
  async function writtenInto() {
    const { root, store } = await privateStore();
    const image = await writeHealthyStore(store.directory);
    const created = store.tagLink("app", "new");
    const replaced = store.tagLink("app", "1");
    await store.put(replaced, "");
    const before = await snapshot(store.directory);
    const run = await startRun(root, "run");
    const writer = createStoreWriter(run);
    await writer.putText(created, image.index);
    await writer.putText(replaced, image.index);
    await closeRun(run);
    return { root, store, created, replaced, before, workDirectory: run.workDirectory };
  }

  test("goes, and what was there before comes back with its times", async () => {
    const { root, store, before, workDirectory } = await writtenInto();
    const { steps } = await undoRun(root, workDirectory);
    expect(steps.map(({ does }) => does)).toEqual([
      "put-back",
      "take-out",
      "remove-directory",
      "remove-directory",
    ]);
    expect(await snapshot(store.directory)).toEqual(before);
  });

  test("stays when it was written again since, with the same content too", async () => {
    const { root, created, replaced, workDirectory } = await writtenInto();
    for (const path of [created, replaced])
      await utimes(path, new Date(), new Date((await lstat(path)).mtimeMs + 2000));
    const { steps } = await undoRun(root, workDirectory);
    expect(steps).toEqual(
      [replaced, created].map((path) => ({ does: "leave", path, reason: "was written since" })),
    );
  });

  test("stays when it is needed, as do its directories, and the check gets what it needs to know", async () => {
    const { root, created, replaced, workDirectory } = await writtenInto();
    const asked: Endangered[] = [];
    const findNeeded = async (endangered: Endangered) => {
      asked.push(endangered);
      return new Map([[created, "app:2, pushed since, needs it"]]);
    };

    const { steps, done } = await undoRun(root, workDirectory, { findNeeded });

    expect(steps.map(({ does, path }) => [does, path])).toEqual([
      ["put-back", replaced],
      ["keep", created],
    ]);
    expect(done).toEqual([replaced]);
    const [endangered] = asked;
    expect([...(endangered?.paths ?? [])]).toEqual([replaced, created]);
    expect(endangered?.since).toBe((await readRun(workDirectory)).begunAt);
    expect(await endangered?.isOwn(created)).toBe(true);
    expect(await endangered?.isOwn(replaced)).toBe(false);
  });

  test("leaves a directory that others use since", async () => {
    const { root, store, workDirectory, created } = await writtenInto();
    await store.put(join(dirname(dirname(created)), "index", "theirs"), "");
    const { steps, left } = await undoRun(root, workDirectory);
    expect(steps.filter(({ does }) => does === "remove-directory").map(({ path }) => path)).toEqual([
      dirname(created),
    ]);
    expect(left).toEqual([]);
  });

  test("is not changed by a plan that could not check what is needed", async () => {
    const { root, store, workDirectory } = await writtenInto();
    const after = await snapshot(store.directory);
    const findNeeded = () => Promise.reject(new Error("could not check"));
    await expect(undoRun(root, workDirectory, { findNeeded })).rejects.toThrow("could not check");
    expect(await snapshot(store.directory)).toEqual(after);
    expect(await readdir(workDirectory)).not.toContain("undo-1");
  });
});

describe("a journal", () => {
  /** A run of the first programs: no sizes, no times, another directory. */
  async function oldRun() {
    const { root, store } = await privateStore();
    const image = await writeHealthyStore(store.directory);
    const created = store.tagLink("app", "new");
    const replaced = store.tagLink("app", "1");
    const before = await treeOf(store.directory);
    const workDirectory = join(root, "_regwarden", "repair-20260101T000000.000Z");
    await mkdir(join(workDirectory, "kept"), { recursive: true });
    await rename(replaced, join(workDirectory, "kept", "1"));
    await store.put(created, "a link");
    await store.put(replaced, "a link");
    const name = (path: string) => relative(root, path);
    const digest = digestOf(Buffer.from("a link"));
    const entries = [
      { did: "begin", schema: "regwarden/repair-journal/v1", at: "2026-01-01T00:00:00.000Z" },
      { did: "directory", path: name(dirname(dirname(created))) },
      { did: "directory", path: name(dirname(created)) },
      { did: "file", path: name(created), digest, kept: null },
      { did: "file", path: name(replaced), digest, kept: "1" },
      { did: "end", at: "2026-01-01T00:00:01.000Z" },
    ];
    const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
    await writeFile(join(workDirectory, "journal.jsonl"), lines);
    return { root, store, image, created, before, workDirectory };
  }

  test("of the first programs is undone by its path", async () => {
    const { root, store, before, workDirectory } = await oldRun();
    expect((await undoRun(root, workDirectory)).left).toEqual([]);
    expect(await treeOf(store.directory)).toEqual(before);
  });

  test("of the first programs leaves what was written after it", async () => {
    const { root, created, workDirectory } = await oldRun();
    await utimes(created, new Date(), new Date(Date.now() + 5000));
    const { steps } = await undoRun(root, workDirectory);
    expect(steps.find(({ path }) => path === created)).toMatchObject({ does: "leave" });
  });

  test("whose last line was cut off is undone as far as it goes", async () => {
    const { root, store, before, workDirectory } = await movedOut();
    await appendFile(join(workDirectory, "journal.jsonl"), '{"did":"moved","fr');
    await undoRun(root, workDirectory);
    expect(await snapshot(store.directory)).toEqual(before);
  });

  test.each([
    ["is damaged before its last line", "{}\n{}\n", ":1 is no line of a journal"],
    ["does not begin as one", '{"did":"end","at":"now"}\n', "is no journal of this program"],
  ])("that %s is refused", async (_, text, why) => {
    const { root, workDirectory } = await movedOut();
    await writeFile(join(workDirectory, "journal.jsonl"), text);
    await expect(undoRun(root, workDirectory)).rejects.toMatchObject({
      code: "E_CONFIGURATION",
      message: expect.stringContaining(why),
    });
  });

  test.each([
    ["into a store from elsewhere", (inStore: string) => ["../elsewhere/file", inStore]],
    ["out of a store to elsewhere", (inStore: string) => [inStore, "../elsewhere/file"]],
    ["between paths that lie in no store", () => ["../elsewhere/file", "../elsewhere/other"]],
  ])("that moves %s is refused", async (_, namesOf) => {
    const { root, store, image, workDirectory } = await movedOut();
    await mkdir(join(root, "../elsewhere"), { recursive: true });
    const path = join(workDirectory, "journal.jsonl");
    const [begin = ""] = (await readFile(path, "utf8")).split("\n");
    const [from, to] = namesOf(relative(root, store.revisionLink("app", image.manifest)));
    await writeFile(path, `${begin}\n${JSON.stringify({ did: "moved", from, to })}\n`);
    await expect(undoRun(root, workDirectory)).rejects.toMatchObject({ code: "E_STORE_UNWRITABLE" });
  });
});
