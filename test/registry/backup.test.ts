import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backUpScript, backupKnownHosts } from "../../components/host/render/backup-units.ts";
import { backupFile, dataMarker } from "../../contract/host-paths.ts";
import type { backupMetrics } from "../../contract/metrics.ts";
import { ensurePackages } from "../../lab/machine/packages.ts";
import { scan } from "../support/commands.ts";
import { digest, image, index } from "../support/images/oci-content.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { type RsyncHost, startRsyncHost } from "../support/server/rsync-host.ts";

/** The script of the timer, with a real registry, ssh and rsync; the other machine is a directory behind an SSH server. */

let registry: Registry;
let other: RsyncHost;
let scratch: string;
let copies: string;

beforeAll(async () => {
  await ensurePackages({}, ["rsync", "ssh", "ssh-keygen"]);
  scratch = await mkdtemp(join(tmpdir(), "regwarden-backup-"));
  copies = join(scratch, "copies");
  for (const name of ["copies", "state", "report", "root/data", "root/programs"])
    await mkdir(join(scratch, name), { recursive: true });
  registry = await startRegistry();
  await mkdir(registry.directory, { recursive: true });
  await symlink(registry.directory, join(scratch, "root/data/private"));
  await writeFile(join(registry.directory, dataMarker), "an id\n");
  other = await startRsyncHost();
  await registry.upload(content("first"), "app", "1");
  await registry.upload(content("moving 0"), "app", "latest");
}, 900_000);
afterAll(async () => {
  await other?.stop();
  await registry?.dispose();
  await rm(scratch, { recursive: true, force: true });
});

const content = (text: string) =>
  index([image(`${text} a`, "linux/amd64"), image(`${text} b`, "linux/arm64")]);

/** Runs the script as the unit does; gives its exit code and what it printed. */
async function backUp(hostKey = other.hostKey): Promise<{ readonly code: number; readonly output: string }> {
  const directory = join(scratch, "root");
  const backup = {
    address: "127.0.0.1",
    sshPort: other.port,
    sshUser: "backup",
    hostKey,
    directory: copies,
    onCalendar: "daily",
  };
  await writeFile(join(directory, "programs/backup-known-hosts"), backupKnownHosts(backup));
  const script = join(scratch, "back-up-store");
  await writeFile(script, backUpScript({ directory }, backup));
  const env = {
    ...process.env,
    STATE_DIRECTORY: join(scratch, "state"),
    REPORT_DIRECTORY: join(scratch, "report"),
  };
  return new Promise((resolve) => {
    execFile("sh", [script], { env, timeout: 50_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr });
    });
  });
}

/** A run that must have worked; gives the directory of its copy. */
async function copied(): Promise<string> {
  const { code, output } = await backUp();
  expect(code, output).toBe(0);
  const newest = (await readdir(copies))
    .filter((name) => existsSync(join(copies, name, "complete")))
    .sort()
    .at(-1);
  return join(copies, newest ?? "");
}

async function metric(name: keyof typeof backupMetrics): Promise<number | undefined> {
  const text = await readFile(join(scratch, "report", backupFile), "utf8");
  const value = new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}

/** What a tag of the copy or store in a directory leads to. */
const tagLink = (directory: string, tag: string) =>
  readFile(
    join(directory, "docker/registry/v2/repositories/app/_manifests/tags", tag, "current/link"),
    "utf8",
  );

/** A new run has a name of its own: names are seconds. */
async function nextSecond(): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  while (Math.floor(Date.now() / 1000) === now) await new Promise((resolve) => setImmediate(resolve));
}

describe("a copy of the store on another machine", () => {
  test("is not made before that machine knows the key, which is made here and printed", async () => {
    const { code, output } = await backUp();
    expect([code, await readdir(copies)]).toEqual([3, []]);
    expect(output).toMatch(/^ssh-ed25519 AAAA\S+ regwarden-backup@/m);
    expect(await metric("regwarden_backup_complete")).toBe(0);
    expect(await metric("regwarden_backup_success_timestamp_seconds")).toBeUndefined();
    other.authorize(await readFile(join(scratch, "state/id_ed25519.pub"), "utf8"));
  });

  test("is sound while clients push, each time", async () => {
    let isPushing = true;
    let pushes = 0;
    const pushing = (async () => {
      while (isPushing) {
        pushes++;
        await registry.upload(content(`pushed ${pushes}`), `busy/${pushes % 7}`, `t${pushes}`);
        await registry.upload(content(`moving ${pushes}`), "app", "latest");
      }
    })();
    const made: string[] = [];
    for (let run = 0; run < 3; run++) {
      await nextSecond();
      made.push(await copied());
    }
    isPushing = false;
    await pushing;
    expect(pushes).toBeGreaterThan(3);
    for (const copy of made) {
      const { report } = await scan(copy);
      expect(report.findings.filter(({ tags }) => tags.length > 0)).toEqual([]);
      expect(report.registries[0]?.tags).toBeGreaterThan(1);
    }
  });

  test("takes a tag that moved within the second in which it was last copied", async () => {
    await registry.upload(content("early"), "app", "latest");
    await copied();
    const link = join(
      registry.directory,
      "docker/registry/v2/repositories/app/_manifests/tags/latest/current/link",
    );
    const before = await stat(link);
    await registry.upload(content("late"), "app", "latest");
    await utimes(link, before.atime, before.mtime);
    await nextSecond();
    expect(await tagLink(await copied(), "latest")).toBe(digest(content("late")));
  });

  test("shares with the copy before what has not changed", async () => {
    const name = digest(content("first")).slice("sha256:".length);
    const path = `docker/registry/v2/blobs/sha256/${name.slice(0, 2)}/${name}/data`;
    const [former, newest] = (await readdir(copies))
      .sort()
      .slice(-2)
      .map((copy) => join(copies, copy, path));
    expect((await stat(newest ?? "")).ino).toBe((await stat(former ?? "")).ino);
  });

  test("counts its tags, and says when it was complete", async () => {
    expect(await metric("regwarden_backup_complete")).toBe(1);
    expect(await metric("regwarden_backup_success_timestamp_seconds")).toBeGreaterThan(
      Date.now() / 1000 - 60,
    );
    const { report } = await scan(registry.directory);
    expect(await metric("regwarden_backup_tags")).toBe(report.registries[0]?.tags);
  });

  test("is not made on a machine with another host key, and the metrics keep the last success", async () => {
    const success = await metric("regwarden_backup_success_timestamp_seconds");
    const before = await readdir(copies);
    const otherKey = other.hostKey.replace(/.{4}$/, "AAAA");
    expect((await backUp(otherKey)).code).toBe(3);
    expect(await readdir(copies)).toEqual(before);
    expect(await metric("regwarden_backup_complete")).toBe(0);
    expect(await metric("regwarden_backup_success_timestamp_seconds")).toBe(success);
  });

  test("is not made of a directory that is not the store", async () => {
    await rm(join(registry.directory, dataMarker));
    const { code, output } = await backUp();
    await writeFile(join(registry.directory, dataMarker), "an id\n");
    expect(code).toBe(3);
    expect(output).toContain("nothing was copied");
  });

  test("brings a lost store back, which then serves every tag", async () => {
    const tag = `t-${randomBytes(4).toString("hex")}`;
    await registry.upload(content("kept"), "app", tag);
    await registry.upload(content("without a tag"), "untagged", "gone");
    const tags = join(registry.directory, "docker/registry/v2/repositories/untagged/_manifests/tags");
    await rm(join(tags, "gone"), { recursive: true });
    await nextSecond();
    const copy = await copied();
    await registry.stop();
    await rm(join(registry.directory, "docker"), { recursive: true });
    await cp(join(copy, "docker"), join(registry.directory, "docker"), {
      recursive: true,
      preserveTimestamps: true,
    });
    await registry.start();
    await registry.pull("app", tag);
    await registry.pull("app", "1");
    // The registry does not know a repository without it, and its own garbage-collect ends with an error.
    expect(existsSync(tags)).toBe(true);
    const { exitCode, report } = await scan(registry.directory);
    expect([exitCode, report.findings]).toEqual([0, []]);
  });
});
