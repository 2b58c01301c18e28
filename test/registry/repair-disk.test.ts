import { execFile } from "node:child_process";
import { cp, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { mediaTypes } from "../../scripts/registry/media-types.ts";
import { blobDataPath } from "../../scripts/registry/paths.ts";
import { program, regwarden, temporaryDirectory } from "../support/program.ts";
import { storeAt } from "../support/store/store.ts";
import { treeOf } from "../support/store/tree.ts";

/** What a disk can do to a repair: be full, be read-only, belong to another user. Needs root, to mount and to drop rights. */

const run = promisify(execFile);
const layerBytes = 700 * 1024;

async function mountSmallDisk(path: string, size: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await run("mount", ["-t", "tmpfs", "-o", `size=${size},mode=755`, "tmpfs", path]);
  onTestFinished(async () => void (await run("umount", [path])));
}

/** A data root on a small disk whose private registry lost a layer; a cache on another disk has it. */
async function damagedRoot(size: string) {
  const scratch = await temporaryDirectory();
  const root = join(scratch, "root");
  await mountSmallDisk(root, size);
  const write = async (directory: string) => {
    const store = storeAt(directory);
    const text = "x".repeat(layerBytes);
    const [config, layer] = [await store.layer("app", "{}"), await store.layer("app", text)];
    const document = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { digest: config, size: 2 },
      layers: [{ digest: layer, size: layerBytes }],
    };
    await store.manifest("app", document, "1");
    return { config, layer };
  };
  const digests = await write(join(scratch, "elsewhere"));
  await cp(join(scratch, "elsewhere"), join(root, "private"), {
    recursive: true,
    filter: (path) => path !== blobDataPath(join(scratch, "elsewhere"), digests.layer),
  });
  await writeFile(join(scratch, "elsewhere", "scheduler-state.json"), "{}");
  await symlink(join(scratch, "elsewhere"), join(root, "cache"));
  const lost = blobDataPath(join(root, "private"), digests.layer);
  return { root, lost, store: () => treeOf(join(root, "private")), ...digests };
}

test("A disk that is full while a layer is copied ends the repair; the store and its journal are in order", async () => {
  const { root, lost, store } = await damagedRoot("1m");
  await writeFile(lost, "damaged");
  await writeFile(join(root, "filler"), "y".repeat(250 * 1024));
  await writeFile(join(root, "filler-2"), "y".repeat(250 * 1024));
  const before = await store();

  const full = await regwarden(["repair", root, "--apply"]);

  expect(full.exitCode).toBe(3);
  expect(full.stdout).toContain("ENOSPC");
  expect(full.stdout).toContain("Made 0 of 1 changes");
  expect(await store()).toEqual(before);
  const [work = ""] = await readdir(join(root, ".regwarden"));
  expect(await readdir(join(root, ".regwarden", work, "staged"))).toEqual([]);
  const undo = await regwarden(["repair", root, "--undo", join(root, ".regwarden", work)]);
  expect([undo.exitCode, undo.stdout]).toEqual([0, "Nothing to undo.\n"]);

  for (const name of ["filler", "filler-2"]) await rm(join(root, name));
  const again = await regwarden(["repair", root, "--apply"]);
  expect(again.exitCode).toBe(0);
  expect((await store()).get(lost.slice(join(root, "private").length + 1))).toHaveLength(layerBytes);
});

test("A read-only file system can be checked, and is reported before anything is tried", async () => {
  const { root, store } = await damagedRoot("4m");
  await run("mount", ["-o", "remount,ro", root]);
  const before = await store();

  const planned = await regwarden(["repair", root]);
  const applied = await regwarden(["repair", root, "--apply"]);

  expect(planned.exitCode).toBe(1);
  expect(planned.stdout).toContain("complete afterwards: 1; changes: 1");
  expect(applied.exitCode).toBe(3);
  expect(applied.stderr).toContain("EROFS");
  expect(applied.stderr).toContain("Nothing was changed");
  expect(await store()).toEqual(before);
});

test("Without the permission to write, a repair says so and leaves the store alone", async () => {
  const { root, store } = await damagedRoot("4m");
  const owned = await run("chown", ["--recursive", "1000:1000", join(root, "private")]);
  expect(owned.stderr).toBe("");
  const before = await store();

  const rights = "-dac_override,-dac_read_search,-fowner,-chown";
  const argv = [
    "--bounding-set",
    rights,
    "--inh-caps",
    rights,
    process.execPath,
    program,
    "repair",
    root,
    "--apply",
  ];
  const outcome = await run("setpriv", argv).then(
    () => ({ code: 0, stderr: "" }),
    (error: { code: number; stderr: string }) => error,
  );

  expect(outcome.code).toBe(3);
  expect(outcome.stderr).toContain("EACCES");
  expect(await store()).toEqual(before);
});

test("What is written has the owner and the rights of its neighbours", async () => {
  const { root, lost, config } = await damagedRoot("4m");
  const link = storeAt(join(root, "private")).layerLink("app", config);
  await rm(join(link, ".."), { recursive: true });
  await rm(join(lost, ".."), { recursive: true });
  await run("chown", ["--recursive", "1000:1001", join(root, "private")]);
  await run("find", [join(root, "private"), "-type", "d", "-exec", "chmod", "750", "{}", "+"]);

  expect((await regwarden(["repair", root, "--apply"])).exitCode).toBe(0);

  const { stdout } = await run("stat", [
    "--format",
    "%u:%g %a",
    lost,
    join(lost, ".."),
    link,
    join(link, ".."),
  ]);
  expect(stdout.trim().split("\n")).toEqual([
    "1000:1001 640",
    "1000:1001 750",
    "1000:1001 640",
    "1000:1001 750",
  ]);
});

test("A journal on another disk than the store is refused, as nothing could be moved there at once", async () => {
  const { root, store } = await damagedRoot("4m");
  const before = await store();

  const { exitCode, stderr } = await regwarden([
    "repair",
    root,
    "--apply",
    "--journal",
    await temporaryDirectory(),
  ]);

  expect(exitCode).toBe(2);
  expect(stderr).toContain("another file system");
  expect(await store()).toEqual(before);
});
