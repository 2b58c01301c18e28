import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { retain } from "../support/commands.ts";
import { startFreezeServer } from "../support/gc/freeze-server.ts";
import { isKilledAt, killStep } from "../support/kills.ts";
import { regwarden, temporaryDirectory } from "../support/program.ts";
import { setPushTime, tagTimes, writeRules } from "../support/store/retained-store.ts";
import { storeAt } from "../support/store/store.ts";
import { treeOf } from "../support/store/tree.ts";

const program = join(import.meta.dirname, "killed-retain.ts");
const day = 24 * 3600 * 1000;

/** Two repositories of which the newest tag stays, and rules that say so. */
async function writeStore(root: string): Promise<string> {
  const store = storeAt(join(root, "private"));
  for (const repository of ["ci/a", "ci/b"])
    for (const [age, tag] of ["v3", "v2", "v1"].entries()) {
      const layer = await store.layer(repository, `layer of ${tag}`);
      const config = await store.layer(repository, `{"tag":"${tag}"}`);
      await store.manifest(
        repository,
        { schemaVersion: 2, config: { digest: config }, layers: [{ digest: layer }] },
        tag,
      );
      await setPushTime(store, repository, tag, Date.now() - (age + 1) * day);
    }
  return writeRules(root, [{ repositories: ["ci/*"], keep: { newest: 1 } }]);
}

/** Of the links: copying a store gives its directories new times. */
const linkTimes = async (root: string) =>
  [...(await tagTimes(root))].filter(([path]) => path.endsWith("/link"));

const storeTree = (root: string) => treeOf(join(root, "private", "docker"));
const retained = (root: string) => join(root, ".regwarden", "retained");

/** Tags of the store, and directories that runs have moved out of it. */
async function tagsOf(root: string): Promise<{ readonly stored: string[]; readonly moved: number }> {
  const base = join(root, "private", "docker", "registry", "v2", "repositories", "ci");
  const stored: string[] = [];
  for (const repository of ["a", "b"])
    for (const tag of await readdir(join(base, repository, "_manifests", "tags")))
      stored.push(`${repository}:${tag}`);
  let moved = 0;
  for (const run of await readdir(retained(root)).catch(() => []))
    moved += (await readdir(join(retained(root), run, "moved")).catch(() => [])).length;
  return { stored, moved };
}

/** Undoes all that was ever done here, the last run first. */
async function undoAll(root: string): Promise<void> {
  for (const run of (await readdir(retained(root))).sort().reverse()) {
    if (!(await readdir(join(retained(root), run))).includes("journal.jsonl")) continue;
    const { exitCode, stderr } = await regwarden(["retain", root, "--undo", run, "--apply"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
  }
}

async function pristineStore() {
  const pristine = await temporaryDirectory();
  const rules = await writeStore(pristine);
  const root = join(await temporaryDirectory(), "root");
  const copy = async (from = pristine) => {
    await rm(root, { recursive: true, force: true });
    await cp(from, root, { recursive: true, preserveTimestamps: true });
  };
  const flags = ["--rules", rules, "--max-removed", "100%", "--apply"];
  return { pristine, root, copy, flags };
}

test("a retention that is killed anywhere loses no tag; the next one ends its work, undos bring all back", async () => {
  const { pristine, root, copy, flags } = await pristineStore();
  const server = await startFreezeServer(await temporaryDirectory());
  const before = await storeTree(pristine);
  await copy();
  const times = await linkTimes(root);
  expect((await retain(root, ...flags)).exitCode).toBe(0);
  const done = await storeTree(root);
  let effect = 1;
  for (await copy(); await isKilledAt(effect, program, root, ...flags, ...server.argv); await copy()) {
    // A lease lasts for seconds, whatever becomes of its holder.
    expect(await server.isFrozenIn(6000)).toBe(false);
    const { stored, moved } = await tagsOf(root);
    expect(stored.length + moved).toBe(6);
    expect(stored).toEqual(expect.arrayContaining(["a:v3", "b:v3"]));
    expect((await retain(root, ...flags)).exitCode).toBe(0);
    expect(await storeTree(root)).toEqual(done);
    await undoAll(root);
    expect(await storeTree(root)).toEqual(before);
    expect(await linkTimes(root)).toEqual(times);
    effect += killStep;
  }
  // Four moves, directories and a journal: fewer would mean that the kills missed the work.
  expect(effect).toBeGreaterThan(15);
}, 400_000);

test("an undo that is killed anywhere can be ended by the next", async () => {
  const { pristine, root, copy, flags } = await pristineStore();
  await copy();
  const before = await storeTree(pristine);
  const times = await linkTimes(root);
  await retain(root, ...flags);
  const [run = ""] = await readdir(retained(root));
  const moved = join(await temporaryDirectory(), "moved");
  await cp(root, moved, { recursive: true, preserveTimestamps: true });
  let effect = 1;
  for (
    await copy(moved);
    await isKilledAt(effect, program, root, "--undo", run, "--apply");
    await copy(moved)
  ) {
    const { stored } = await tagsOf(root);
    expect(stored).toEqual(expect.arrayContaining(["a:v3", "b:v3"]));
    await undoAll(root);
    expect(await storeTree(root)).toEqual(before);
    expect(await linkTimes(root)).toEqual(times);
    effect += killStep;
  }
  expect(effect).toBeGreaterThan(8);
}, 400_000);

test("a purge that is killed anywhere changes nothing of the store, and is ended by the next", async () => {
  const { root, copy, flags } = await pristineStore();
  await copy();
  await retain(root, ...flags);
  const done = await storeTree(root);
  const moved = join(await temporaryDirectory(), "moved");
  await cp(root, moved, { recursive: true, preserveTimestamps: true });
  const argv = [root, "--purge", "0s", "--apply"];
  let effect = 1;
  for (await copy(moved); await isKilledAt(effect, program, ...argv); await copy(moved)) {
    const next = await regwarden(["retain", ...argv]);
    expect([next.exitCode, next.stderr]).toEqual([0, ""]);
    expect(await readdir(retained(root)), `effect ${effect}`).toEqual([]);
    expect(await storeTree(root)).toEqual(done);
    effect += killStep;
  }
  expect(effect).toBeGreaterThan(15);
}, 400_000);

test("a purge ends what a retention left that was killed before it had a journal", async () => {
  const { root, copy, flags } = await pristineStore();
  await copy();
  const child = spawn(process.execPath, [program, "SIGKILL", "8", root, ...flags], { stdio: "ignore" });
  await once(child, "exit");
  expect(await readdir(join(retained(root), (await readdir(retained(root)))[0] ?? ""))).not.toContain(
    "journal.jsonl",
  );
  const { exitCode, stdout } = await regwarden(["retain", root, "--purge", "0s", "--apply"]);
  expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/0 {2}removed/)]);
  expect(await readdir(retained(root))).toEqual([]);
});

test("of two runs at one time, one does its work and the other changes nothing and says whom it waits for", async () => {
  const { root, copy, flags } = await pristineStore();
  await copy();
  const runs = await Promise.all([1, 2, 3].map(() => regwarden(["retain", root, ...flags])));
  const refused = runs.filter(({ exitCode }) => exitCode === 3);
  for (const { stderr } of refused) expect(stderr).toContain("Another run is at work in this store");
  expect(runs.filter(({ exitCode }) => exitCode === 0).length).toBeGreaterThan(0);
  expect(runs.length - refused.length).toBe(runs.filter(({ exitCode }) => exitCode === 0).length);
  expect(await tagsOf(root)).toEqual({ stored: ["a:v3", "b:v3"], moved: 4 });
});

test("a retention that gets a signal to stop ends what it began, says so, and gives its locks back", async () => {
  const { root, copy, flags } = await pristineStore();
  await copy();
  const child = spawn(process.execPath, [program, "SIGTERM", "8", root, ...flags]);
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, "exit");
  expect([code, stderr]).toEqual([3, "Stopped by SIGTERM; the same command again goes on.\n"]);
  await expect(readdir(join(root, "private", ".regwarden"))).rejects.toThrow("ENOENT");
  expect((await retain(root, ...flags)).exitCode).toBe(0);
  expect(await tagsOf(root)).toEqual({ stored: ["a:v3", "b:v3"], moved: 4 });
});
