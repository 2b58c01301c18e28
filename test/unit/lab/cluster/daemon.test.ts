import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  belongsTo,
  type Daemon,
  daemonFiles,
  daemonPid,
  ensureDaemon,
  stopDaemon,
} from "../../../../lab/cluster/daemon.ts";

let daemon: Daemon;
beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), "regwarden-daemon-"));
  const program = join(directory, "program.mjs");
  writeFileSync(program, "setInterval(() => undefined, 1000);\n");
  const name = process.execPath.split("/").at(-1) ?? "";
  daemon = { name, directory, command: [process.execPath, program], answers: async () => true };
});
afterEach(async () => {
  await stopDaemon(daemon);
  rmSync(daemon.directory, { recursive: true });
});

test("a daemon that runs and answers is left as it is", async () => {
  expect(await ensureDaemon(daemon)).toBe(true);
  const pid = daemonPid(daemon);
  expect(await ensureDaemon(daemon)).toBe(false);
  expect(daemonPid(daemon)).toBe(pid);
});

test("a daemon whose process id was never recorded, because its starter was killed, is found and ended", async () => {
  await ensureDaemon(daemon);
  const pid = daemonPid(daemon);
  rmSync(daemonFiles(daemon).pid);
  expect(daemonPid(daemon)).toBe(pid);
  await stopDaemon(daemon);
  expect(existsSync(`/proc/${pid}/cwd`)).toBe(false);
});

test("a daemon whose files were removed while it ran, which may end at any moment, is started anew", async () => {
  await ensureDaemon(daemon);
  const pid = daemonPid(daemon);
  rmSync(daemonFiles(daemon).pid);
  rmSync(daemonFiles(daemon).log);
  expect(await ensureDaemon(daemon)).toBe(true);
  expect(daemonPid(daemon)).not.toBe(pid);
  expect(existsSync(`/proc/${pid}/cwd`)).toBe(false);
});

test("another program that names the daemon's directory is not taken for it", async () => {
  const reader = { ...daemon, name: "etcd" };
  await ensureDaemon(daemon);
  expect(daemonPid(reader)).toBeUndefined();
});

test("a process is a daemon's only when its arguments name the daemon's own directory", () => {
  const etcd = { name: "etcd", directory: "/project/.lab/lab/cluster/etcd" };
  expect(belongsTo(etcd, ["etcd", "--data-dir=/project/.lab/lab/cluster/etcd/data"])).toBe(true);
  expect(belongsTo(etcd, ["etcd", "--data-dir=/project/.lab/lab/cluster/etcd-other/data"])).toBe(false);
  expect(belongsTo(etcd, ["vim"])).toBe(false);
  expect(belongsTo(etcd, undefined)).toBe(false);
});
