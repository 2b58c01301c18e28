import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { digestOf } from "../../../../scripts/registry/digest.ts";
import { createEffects } from "../../../../scripts/store-change/effects.ts";
import { readRun } from "../../../../scripts/store-change/journal.ts";
import { closeRun } from "../../../../scripts/store-change/run-directory.ts";
import { createStoreWriter } from "../../../../scripts/store-change/store-writer.ts";
import { temporaryDirectory } from "../../../support/program.ts";
import { privateStore } from "../../../support/store/store.ts";
import { startRun as openRunOf, undoRun } from "../../../support/store/store-change.ts";
import { treeOf } from "../../../support/store/tree.ts";

const startRun: typeof openRunOf = async (...given) => {
  const run = await openRunOf(...given);
  onTestFinished(() => closeRun(run));
  return run;
};

const digest = digestOf(Buffer.from("some content"));
const other = digestOf(Buffer.from("other content"));

/** A store, a path in it for a link, and a writer that lets a push come in at the first effect of a name. */
async function storeWithPush(effect: string, push: (path: string) => void) {
  const { root, store } = await privateStore();
  const path = store.revisionLink("app", digest);
  await mkdir(dirname(dirname(path)), { recursive: true });
  let isDue = false;
  const effects = createEffects((name) => {
    if (name !== effect || !isDue) return;
    isDue = false;
    push(path);
  });
  const run = await startRun(root, "run", effects);
  isDue = true;
  const undo = async () => {
    await closeRun(run);
    return undoRun(root, run.workDirectory);
  };
  return { root, store, path, run, writer: createStoreWriter(run), undo };
}

const isEmpty = async (path: string) => (await lstat(path)).size === 0;
const written = {
  code: "E_STORE_UNWRITABLE",
  message: expect.stringContaining("written meanwhile by a push"),
};

describe("beside a push, a new file", () => {
  test("is written into a directory that the push makes at the same moment, and that an undo leaves to it", async () => {
    const { path, writer, undo } = await storeWithPush("makeDirectory", (link) => mkdirSync(dirname(link)));
    await writer.putText(path, digest);
    expect(await readFile(path, "utf8")).toBe(digest);
    await undo();
    expect(await readdir(dirname(path))).toEqual([]);
  });

  test("is that of the push, when it has written the same, and an undo leaves it", async () => {
    const { path, run, writer, undo } = await storeWithPush("putNew", (link) => writeFileSync(link, digest));
    await writer.putText(path, digest);
    expect(await readdir(join(run.workDirectory, "staged"))).toEqual([]);
    expect((await undo()).steps).toEqual([]);
    expect(await readFile(path, "utf8")).toBe(digest);
  });

  test("is waited for while the push fills it", async () => {
    const { path, writer } = await storeWithPush("putNew", (link) => {
      writeFileSync(link, "");
      setTimeout(() => writeFileSync(link, digest), 50);
    });
    await writer.putText(path, digest);
    expect(await readFile(path, "utf8")).toBe(digest);
  });

  test("is not written over what the push means", async () => {
    const { path, writer, undo } = await storeWithPush("putNew", (link) => writeFileSync(link, other));
    await expect(writer.putText(path, digest)).rejects.toMatchObject(written);
    expect(await readFile(path, "utf8")).toBe(other);
    expect((await undo()).steps).toEqual([]);
  });
});

describe("beside a push, a file that is to be replaced", () => {
  async function emptyLink(effect: string, push: (path: string) => void) {
    const prepared = await storeWithPush(effect, push);
    await prepared.store.put(prepared.path, "");
    return prepared;
  }

  test("is read again directly before, and left when it was filled", async () => {
    const { path, run, writer, undo } = await emptyLink("keep", (link) => writeFileSync(link, other));
    await expect(writer.putText(path, digest, isEmpty)).rejects.toMatchObject(written);
    expect(await readFile(path, "utf8")).toBe(other);
    expect(await readdir(join(run.workDirectory, "kept"))).toEqual([]);
    expect((await undo()).steps).toEqual([]);
  });

  test("comes back when the push filled it after the last check", async () => {
    const { path, writer, undo } = await emptyLink("replace", (link) => writeFileSync(link, other));
    await expect(writer.putText(path, digest, isEmpty)).rejects.toMatchObject(written);
    expect(await readFile(path, "utf8")).toBe(other);
    expect((await undo()).steps).toEqual([]);
  });

  test("comes back also when the push had only opened it", async () => {
    const { path, run, writer } = await emptyLink("replace", (link) => {
      const kept = join(run.workDirectory, "kept", "2");
      utimesSync(link, new Date(), new Date(Date.now() + 2000));
      setTimeout(() => writeFileSync(kept, other), 50);
    });
    await expect(writer.putText(path, digest, isEmpty)).rejects.toMatchObject(written);
    expect(await readFile(path, "utf8")).toBe(other);
  });

  test("is left when it is right by now", async () => {
    const { path, run, writer } = await emptyLink("createFile", (link) => writeFileSync(link, digest));
    await writer.putText(path, digest, isEmpty);
    expect((await readRun(run.workDirectory)).entries.map(({ did }) => did)).toEqual(["begin"]);
  });
});

describe("a move", () => {
  async function storedLink(effect: string, push: (path: string) => void) {
    const prepared = await storeWithPush(effect, push);
    await prepared.store.put(prepared.path, digest);
    const { size, mtimeMs } = await lstat(prepared.path);
    const move = { from: prepared.path, to: prepared.writer.movedPath(), seen: { size, mtimeMs } };
    return { ...prepared, move };
  }
  const later = (path: string) => {
    writeFileSync(path, digest);
    utimesSync(path, new Date(), new Date(Date.now() + 5000));
  };

  test("leaves a file that was written since it was planned", async () => {
    const { path, writer, move, undo } = await storedLink("record", later);
    expect(await writer.move([move])).toEqual([{ path, reason: "was written meanwhile by a push" }]);
    expect(await readFile(path, "utf8")).toBe(digest);
    expect((await undo()).steps).toEqual([]);
  });

  test("brings a file back that was written while it was moved", async () => {
    const { path, writer, move, undo } = await storedLink("putNew", later);
    expect(await writer.move([move])).toEqual([{ path, reason: "was written meanwhile by a push" }]);
    expect(await readFile(path, "utf8")).toBe(digest);
    expect((await undo()).steps).toEqual([]);
  });

  test("back into the store never goes over what a push has written", async () => {
    const { root, store, path, run, writer } = await storeWithPush("none", () => {});
    const [link, directory] = [path, dirname(store.layerLink("app", digest))];
    await store.put(link, digest);
    await store.put(store.layerLink("app", digest), digest);
    const out = [link, directory].map((from) => ({ from, to: writer.movedPath() }));
    expect(await writer.move(out)).toEqual([]);
    await store.put(link, other);
    await store.put(store.layerLink("app", digest), other);
    const before = await treeOf(root);

    const refused = await writer.move(out.map(({ from, to }) => ({ from: to, to: from })));

    expect(refused.map(({ reason }) => reason)).toEqual([
      `was not moved, as ${link} was written meanwhile`,
      `was not moved, as ${directory} was written meanwhile`,
    ]);
    expect(await readFile(link, "utf8")).toBe(other);
    const changed = [...(await treeOf(root)).keys()].filter((name) => !before.has(name));
    expect([changed, run.stores.length]).toEqual([[], 1]);
  });

  test("of many costs as many writes to the disk as one", async () => {
    const { root, store } = await privateStore();
    const digests = Array.from({ length: 300 }, (_, index) => digestOf(Buffer.from(String(index))));
    for (const one of digests) await store.put(store.layerLink("app", one), one);
    const effects: string[] = [];
    const counting = createEffects((name) => void effects.push(name));
    const writer = createStoreWriter(await startRun(root, "run", counting));
    effects.length = 0;

    const paths = digests.map((one) => dirname(store.layerLink("app", one)));
    expect(await writer.move(paths.map((from) => ({ from, to: writer.movedPath() })))).toEqual([]);

    expect(effects.filter((name) => name !== "move")).toEqual(["record", "syncDirectory", "syncDirectory"]);
  });
});

describe("the journal", () => {
  test("names each change on the disk before it is made", async () => {
    const { root, store } = await privateStore();
    const [created, replaced, moved] = ["created", "replaced", "moved"].map((name) =>
      store.tagLink("app", name),
    );
    if (!created || !replaced || !moved) throw new Error("three paths");
    await store.put(replaced, "");
    await store.put(moved, digest);
    const journal = join(root, ".regwarden", "run", "journal.jsonl");
    const named: [string, string][] = [];
    const changing = new Set(["makeDirectory", "putNew", "replace", "move", "removeDirectory"]);
    const effects = createEffects((effect, path) => {
      if (!changing.has(effect) || !path.startsWith(store.directory)) return;
      const last = JSON.parse(readFileSync(journal, "utf8").trimEnd().split("\n").at(-1) ?? "{}");
      expect(join(root, last.path ?? last.from)).toBe(path);
      named.push([effect, last.did]);
    });
    const writer = createStoreWriter(await startRun(root, "run", effects));

    await writer.putText(created, digest);
    await writer.putText(replaced, digest);
    await writer.move([{ from: moved, to: writer.movedPath() }]);
    await writer.removeDirectory(dirname(moved));

    expect(named).toEqual([
      ["makeDirectory", "made-directory"],
      ["makeDirectory", "made-directory"],
      ["putNew", "created"],
      ["replace", "replaced"],
      ["move", "moved"],
      ["removeDirectory", "removed-directory"],
    ]);
  });
});

test("Where there are no hard links, what is replaced is copied to the disk with its times before it goes", async () => {
  const { root, store } = await privateStore();
  const path = store.revisionLink("app", digest);
  await store.put(path, "damaged");
  utimesSync(path, 1_000_000, 1_000_000);
  const synced: string[] = [];
  const effects = createEffects((effect, at) => {
    if (effect === "link") throw Object.assign(new Error("no links here"), { code: "EPERM" });
    if (effect === "sync" || effect === "replace") synced.push(effect === "sync" ? at : effect);
  });
  const run = await startRun(root, "run", effects);
  await createStoreWriter(run).putText(path, digest);
  await closeRun(run);

  const kept = join(run.workDirectory, "kept", "2");
  expect(synced).toEqual([`${kept}.part`, "replace"]);
  expect((await lstat(kept)).mtimeMs).toBe(1_000_000_000);

  expect((await undoRun(root, run.workDirectory, { effects })).left).toEqual([]);
  expect(await readFile(path, "utf8")).toBe("damaged");
  // What is as it was has nothing to undo.
  expect((await undoRun(root, run.workDirectory, { effects })).steps).toEqual([]);
});

test("What lies outside of the stores, or behind a symbolic link out of them, is never changed", async () => {
  const { root, store } = await privateStore();
  const elsewhere = await temporaryDirectory();
  await writeFile(join(elsewhere, "link"), "theirs");
  const directory = dirname(store.revisionLink("app", digest));
  await mkdir(dirname(directory), { recursive: true });
  await symlink(elsewhere, directory);
  const writer = createStoreWriter(await startRun(root, "run"));
  const refused = { code: "E_STORE_UNWRITABLE" };

  await expect(writer.putText(join(directory, "link"), digest)).rejects.toMatchObject(refused);
  await expect(writer.putText(join(elsewhere, "new"), digest)).rejects.toMatchObject(refused);
  await expect(
    writer.move([{ from: join(directory, "link"), to: writer.movedPath() }]),
  ).rejects.toMatchObject(refused);
  const roundabout = `${dirname(directory)}${"/..".repeat(20)}${elsewhere}/link`;
  await expect(writer.move([{ from: roundabout, to: writer.movedPath() }])).rejects.toMatchObject(refused);
  expect(await readdir(elsewhere)).toEqual(["link"]);
});
