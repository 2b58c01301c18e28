import { execFile } from "node:child_process";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import type { GcReport } from "../../contract/gc-report.ts";
import { scan } from "../support/commands.ts";
import { age, rootWithDead, writeDeadImage } from "../support/gc/dead-store.ts";
import { startFreezeServer } from "../support/gc/freeze-server.ts";
import { timedTree } from "../support/gc/timed-tree.ts";
import { regwarden, temporaryDirectory, withReport } from "../support/program.ts";
import { startRegistry } from "../support/registry/registry.ts";
import { writeDamagedStore } from "../support/store/sample-stores.ts";
import { storeAt } from "../support/store/store.ts";

/** What a disk, a server and a clock can do to a collection. Needs root, to mount. */

const run = promisify(execFile);
const asked = ["--dead-for", "0s", "--budget", "100%"];
const offline = [...asked, "--offline", "--apply"];

async function gc(root: string, ...argv: readonly string[]) {
  return withReport<GcReport>(await regwarden(["gc", root, "--json", ...argv]));
}

async function mount(path: string, options: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]);
  onTestFinished(async () => void (await run("umount", [path])));
}

/** A root with dead images, on a disk of its own. */
async function rootOnDisk(size: string) {
  const made = await rootWithDead();
  const root = join(await temporaryDirectory(), "disk");
  await mount(root, `size=${size},mode=755`);
  await run("cp", ["--archive", `${made.root}/.`, root]);
  return { root, tree: () => timedTree(join(root, "private", "docker")) };
}

test("On a full disk nothing is moved, and the message says so; with space it is", async () => {
  const { root, tree } = await rootOnDisk("1m");
  const before = await tree();
  await run("sh", ["-c", `head -c 4M /dev/zero > ${root}/filler || true`]);

  const full = await regwarden(["gc", root, ...offline]);

  expect(full.exitCode).toBe(3);
  expect(full.stdout + full.stderr).toContain("ENOSPC");
  expect(await tree()).toEqual(before);
  await rm(join(root, "filler"));
  expect(await gc(root, ...offline)).toMatchObject({ exitCode: 0, report: { proof: { lost: [] } } });
});

test("On a disk that fills midway, wherever that is, nothing is lost; with space the next run ends the work", async () => {
  const { root, store } = await rootWithDead();
  // So many that the ledger and the journal take several pages each.
  for (let number = 0; number < 40; number += 1) await writeDeadImage(store, "app", `dead ${number}`);
  await age(store.directory, 72);
  const disk = join(await temporaryDirectory(), "disk");
  await mount(disk, "size=8m,mode=755");
  const tree = () => timedTree(join(disk, "private", "docker"));
  const outcomes: string[] = [];
  for (const pages of [0, 2, 8, 12, 20, 28, 40]) {
    await run("sh", ["-c", `rm -rf ${disk}/* ${disk}/.regwarden && cp --archive ${root}/. ${disk}`]);
    const before = await tree();
    const filler = `${disk}/filler`;
    await run("sh", [
      "-c",
      `head -c 9M /dev/zero > ${filler} || true; truncate -s -${pages * 4096} ${filler}`,
    ]);

    const filled = await regwarden(["gc", disk, ...offline]);

    if (filled.exitCode !== 0) {
      expect(filled.exitCode, filled.stderr).toBe(3);
      expect(filled.stdout + filled.stderr).toContain("ENOSPC");
    }
    outcomes.push(
      filled.exitCode === 0 ? "done" : (await tree()).size === before.size ? "not begun" : "partly",
    );
    expect((await scan(disk)).report.findings.filter(({ tags }) => tags.length > 0)).toEqual([]);
    await rm(filler);
    const next = await gc(disk, ...offline);
    expect([next.exitCode, next.report.proof?.lost ?? []], `${pages} pages: ${next.stderr}`).toEqual([0, []]);
    expect((await gc(disk, ...offline)).report.registries[0]?.removed.blobs).toBe(0);
    for (const name of (await readdir(join(disk, ".regwarden", "quarantine"))).reverse()) {
      const undo = await regwarden(["gc", disk, "--undo", name, "--apply"]);
      if (!undo.stderr.includes("There is no run")) expect(undo.exitCode, undo.stderr).toBe(0);
    }
    expect(await tree(), `${pages} pages`).toEqual(before);
  }
  // Else the sizes miss what they are for.
  expect(outcomes[0]).toBe("not begun");
  expect(outcomes.at(-1)).toBe("done");
  expect(outcomes.filter((one) => one !== "done").length).toBeGreaterThan(2);
}, 300_000);

test("A file system that is read-only is refused before anything is moved", async () => {
  const { root, tree } = await rootOnDisk("4m");
  await run("mount", ["-o", "remount,ro", root]);
  const before = await tree();

  const { exitCode, stderr } = await regwarden(["gc", root, ...offline]);

  expect(exitCode).toBe(3);
  expect(stderr).toContain("EROFS");
  expect(await tree()).toEqual(before);
});

test("A quarantine on another device is refused, as nothing could be moved there at once", async () => {
  const { root, store, quarantine } = await rootWithDead();
  await mount(join(root, ".regwarden"), "size=1m,mode=755");
  const before = await timedTree(store.directory);

  const { exitCode, stderr } = await regwarden(["gc", root, ...offline]);

  expect(exitCode).toBe(2);
  expect(stderr).toContain("lies on another file system than the store");
  expect(await timedTree(`${store.directory}/docker`)).toEqual(without(before, "docker/"));
  expect(await readdir(quarantine).catch(() => [])).toEqual([]);
});

/** The entries below a directory, by their paths from there. */
function without(tree: ReadonlyMap<string, string>, directory: string): ReadonlyMap<string, string> {
  const own = [...tree].filter(([path]) => path.startsWith(directory));
  return new Map(own.map(([path, entry]) => [path.slice(directory.length), entry]));
}

test("With nginx holding writes, everything dead goes; without it, nothing", async () => {
  const { root, store } = await rootWithDead();
  const scratch = await temporaryDirectory();
  const server = await startFreezeServer(scratch);
  const log = join(scratch, "access.log");
  await writeFile(log, `${JSON.stringify({ begins: Date.now() / 1000 - 4 * 3600, follows: null })}\n`);
  const argv = [...asked, ...server.argv, "--access-log", log, "--apply"];
  const tree = () => timedTree(join(store.directory, "docker"));
  const before = await tree();

  server.goDown();
  const down = await gc(root, ...argv);
  expect(down).toMatchObject({ exitCode: 3, report: { run: null, registries: [{ refusedFor: "freeze" }] } });
  expect(down.report.registries[0]?.refused).toContain("does not say whether writes are held");
  expect(await tree()).toEqual(before);
  expect(await server.isFrozenIn(0)).toBe(false);

  server.comeBack();
  const { exitCode, report } = await gc(root, ...argv);
  expect(exitCode).toBe(0);
  expect(report.freezeSeconds).toBeGreaterThan(0);
  expect(report.freezeSeconds).toBeLessThan(5);
  expect(report.registries).toMatchObject([{ removed: { revisionLinks: 2, layerLinks: 4, blobs: 7 } }]);
  expect(await server.isFrozenIn(0)).toBe(false);
});

test("--offline is refused while a registry serves the store", async () => {
  const registry = await startRegistry();
  const store = storeAt(registry.directory);
  await writeDeadImage(store, "app", "dead");
  await age(store.directory, 72);

  const refused = await regwarden(["gc", registry.directory, ...offline]);
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain(`${registry.directory} is served by a registry, process `);
  await registry.stop();
  expect((await regwarden(["gc", registry.directory, ...offline])).exitCode).toBe(0);
});

test("Of a store that is damaged, nothing more is broken afterwards", async () => {
  const root = join(await temporaryDirectory(), "root");
  await writeDamagedStore(root);
  await rm(join(root, "cache"), { recursive: true });
  const store = storeAt(join(root, "private"));
  const dead = await writeDeadImage(store, "team/tool", "tool");
  await age(store.directory, 72);
  const broken = async () => (await scan(root)).report.findings.map(({ message }) => message).sort();
  const before = await broken();

  const { exitCode, report } = await gc(root, ...offline);

  expect(before).not.toEqual([]);
  expect(await broken()).toEqual(before);
  expect(exitCode).toBe(report.registries[0]?.refused === null ? 0 : 1);
  expect(report.proof?.lost ?? []).toEqual([]);
  expect(dead.layer).toContain("sha256:");
});
