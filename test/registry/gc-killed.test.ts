import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { age, writeDeadImage } from "../support/gc/dead-store.ts";
import { startFreezeServer } from "../support/gc/freeze-server.ts";
import { timedTree } from "../support/gc/timed-tree.ts";
import { isKilledAt, killStep } from "../support/kills.ts";
import { regwarden, temporaryDirectory } from "../support/program.ts";
import { writeHealthyStore } from "../support/store/sample-stores.ts";
import { storeAt } from "../support/store/store.ts";

const run = promisify(execFile);
const program = join(import.meta.dirname, "killed-gc.ts");

const offline = ["--dead-for", "0s", "--budget", "100%", "--offline", "--apply"];

/** Roots, each of their own, that are as one that was made once: `app:1` is complete, and one image is dead. */
async function pristineRoot() {
  const scratch = await temporaryDirectory();
  const pristine = join(scratch, "pristine");
  const store = storeAt(join(pristine, "private"));
  const kept = await writeHealthyStore(store.directory);
  const dead = await writeDeadImage(store, "app", "dead");
  await age(store.directory, 72);
  const root = join(scratch, "root");
  const copy = async (from = pristine) => {
    await rm(root, { recursive: true, force: true });
    await run("cp", ["--archive", from, root]);
  };
  const before = await timedTree(join(pristine, "private", "docker"));
  await copy();
  expect((await regwarden(["gc", root, ...offline])).exitCode).toBe(0);
  const after = await storeTree(root);
  return { scratch, pristine, root, copy, before, after, kept, dead };
}

type Tree = ReadonlyMap<string, string>;

const storeTree = (root: string) => timedTree(join(root, "private", "docker"));

/** Everything that a collection leaves is there, unchanged: nothing that a tag reaches is missing. */
async function expectReachable(root: string, after: Tree): Promise<void> {
  const now = await storeTree(root);
  const changed = [...after].filter(([path, entry]) => now.get(path) !== entry);
  expect(changed.map(([path]) => path)).toEqual([]);
}

async function undoAll(root: string): Promise<void> {
  const quarantine = join(root, ".regwarden", "quarantine");
  for (const name of (await readdir(quarantine).catch(() => [])).sort().reverse()) {
    const { exitCode, stderr } = await regwarden(["gc", root, "--undo", name, "--apply"]);
    // A run that was killed before its journal was there has moved nothing.
    if (!stderr.includes("There is no run")) expect([exitCode, stderr]).toEqual([0, ""]);
  }
}

test("A collection that is killed anywhere loses nothing; the next one ends its work, and all of it can be undone", async () => {
  const { scratch, root, copy, before, after } = await pristineRoot();
  const server = await startFreezeServer(scratch);
  const log = join(scratch, "access.log");
  await writeFile(log, `${JSON.stringify({ begins: Date.now() / 1000 - 4 * 3600, follows: null })}\n`);
  const held = [...server.argv, "--access-log", log, "--dead-for", "0s", "--budget", "100%", "--apply"];
  let effect = 1;
  for (await copy(); await isKilledAt(effect, program, root, ...held); await copy()) {
    // A lease lasts for seconds, whatever becomes of its holder.
    expect(await server.isFrozenIn(6000)).toBe(false);
    await expectReachable(root, after);
    const next = await regwarden(["gc", root, ...offline]);
    expect(next.exitCode, next.stderr).toBe(0);
    expect(await storeTree(root), `effect ${effect}`).toEqual(after);
    await undoAll(root);
    expect(await storeTree(root), `effect ${effect}`).toEqual(before);
    effect += killStep;
  }
  expect(await storeTree(root)).toEqual(after);
  expect(effect).toBeGreaterThan(30);
}, 900_000);

test("A collection that gets SIGTERM at some moment ends by itself, with writes let go on, and loses nothing", async () => {
  const { scratch, root, copy, after } = await pristineRoot();
  const server = await startFreezeServer(scratch);
  const log = join(scratch, "access.log");
  await writeFile(log, `${JSON.stringify({ begins: Date.now() / 1000 - 4 * 3600, follows: null })}\n`);
  const held = [...server.argv, "--access-log", log, "--dead-for", "0s", "--budget", "100%", "--apply"];
  const codes = new Set<number | null>();
  // Every fifth effect: what happens at each of them, the kills show.
  for (let effect = 1; !codes.has(0); effect += 5) {
    await copy();
    const child = spawn(process.execPath, [program, "SIGTERM", String(effect), root, ...held], {
      stdio: "ignore",
    });
    const [code] = await once(child, "exit");
    codes.add(code);
    expect(await server.isFrozenIn(0)).toBe(false);
    await expectReachable(root, after);
  }
  // 3: it was interrupted. Before it begins to change the store the signal ends it at once, which leaves no code.
  expect([...codes].filter((code) => code !== null).sort()).toEqual([0, 3]);
}, 300_000);

/** A root of which the dead image lies in the quarantine, and the name of that run. */
async function sweptRoot() {
  const made = await pristineRoot();
  const swept = join(made.scratch, "swept");
  await run("cp", ["--archive", made.root, swept]);
  const [name = ""] = await readdir(join(swept, ".regwarden", "quarantine"));
  return { ...made, name, copy: () => made.copy(swept) };
}

test("An undo that is killed anywhere is ended by the next", async () => {
  const { root, copy, before, after, name } = await sweptRoot();
  const argv = [root, "--undo", name, "--apply"];
  let effect = 1;
  for (await copy(); await isKilledAt(effect, program, ...argv); await copy()) {
    await expectReachable(root, after);
    expect((await regwarden(["gc", ...argv])).exitCode).toBe(0);
    expect(await storeTree(root), `effect ${effect}`).toEqual(before);
    effect += killStep;
  }
  expect(effect).toBeGreaterThan(15);
}, 600_000);

test("A purge that is killed anywhere loses nothing, and is ended by the next", async () => {
  const { root, copy, after } = await sweptRoot();
  const argv = [root, "--purge", "0s", "--apply"];
  let effect = 1;
  for (await copy(); await isKilledAt(effect, program, ...argv); await copy()) {
    await expectReachable(root, after);
    expect((await regwarden(["gc", ...argv])).exitCode).toBe(0);
    expect(await readdir(join(root, ".regwarden", "quarantine")), `effect ${effect}`).toEqual([]);
    expect(await storeTree(root)).toEqual(after);
    effect += killStep;
  }
  expect(effect).toBeGreaterThan(15);
}, 600_000);

test("A watch that is killed anywhere while it puts something back loses nothing, and goes on at its next start", async () => {
  const { scratch, root, copy, before, after, dead, name } = await sweptRoot();
  const log = join(scratch, "access.log");
  await mkdir(scratch, { recursive: true });
  const time = Date.now() / 1000;
  const uri = `/v2/app/manifests/${dead.manifest}`;
  await writeFile(log, `${JSON.stringify({ time, method: "GET", uri, status: "404", agent: "" })}\n`);
  const argv = [root, "--watch", "--access-log", log];
  let effect = 1;
  for (await copy(); await isKilledAt(effect, program, ...argv); await copy()) {
    await expectReachable(root, after);
    // Where the killed one had put back everything already, there is nothing left to wait for.
    const isDone = (await storeTree(root)).size === before.size;
    if (!isDone) expect(await isKilledAt(Number.MAX_SAFE_INTEGER, program, ...argv)).toBe(false);
    expect(await storeTree(root), `effect ${effect}`).toEqual(before);
    expect((await regwarden(["gc", root, "--undo", name, "--apply"])).exitCode).toBe(0);
    effect += killStep;
  }
  expect(effect).toBeGreaterThan(15);
}, 600_000);
