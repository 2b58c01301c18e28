import { execFile } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { regwarden, temporaryDirectory } from "../support/program.ts";
import { holdLock } from "../support/store/lock-holder.ts";
import { writeDamagedStore } from "../support/store/sample-stores.ts";

/** Each is process 1 of its own container, with no network but its own. Needs root. */
const container = ["unshare", "--pid", "--fork", "--mount-proc", "--net", "--kill-child"];
const run = promisify(execFile);

test("The lock of a store holds between containers, and ends with a container that is killed", async () => {
  const store = await temporaryDirectory();
  const first = await holdLock(store, container);
  expect(first.answer).toBe("held");

  const second = await holdLock(store, container);
  expect(second.answer).toContain("process 1 on ");
  expect((await holdLock(store)).answer).toContain("process 1 on ");

  await first.kill();
  const third = await holdLock(store, container);
  expect(third.answer).toBe("held");
  await third.release();
  expect(await readdir(store)).toEqual([]);
});

test("A lock that cannot be written is reported before anything is changed, whatever a killed run left there", async () => {
  const root = join(await temporaryDirectory(), "root");
  await mkdir(root);
  await run("mount", ["-t", "tmpfs", "-o", "size=4m,mode=755", "tmpfs", root]);
  onTestFinished(async () => void (await run("umount", [root])));
  await writeDamagedStore(root);
  await (await holdLock(join(root, "private"))).kill();
  await run("mount", ["-o", "remount,ro", root]);

  const { exitCode, stderr } = await regwarden(["repair", root, "--apply"]);

  expect(exitCode).toBe(3);
  expect(stderr).toMatch(/Cannot write the lock .*EROFS.*Nothing was changed/);
});
