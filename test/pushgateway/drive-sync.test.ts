import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { driveSyncVariables } from "../../components/cluster/render/drive-sync.ts";
import { driveSyncScript } from "../../components/cluster/render/drive-sync-script.ts";
import { ensurePackages } from "../../lab/machine/packages.ts";
import { findCommand } from "../../lab/machine/paths.ts";
import { type Service, startPushgateway } from "../support/server/service.ts";

/** The script with a real rclone, a real Pushgateway, and otherwise only busybox, as in the rclone image. */

const BUSYBOX_TOOLS = ["sh", "nc", "head", "date", "cp", "grep"];
const SITE = {
  name: "blog",
  namespace: "blog",
  schedule: "*/10 * * * *",
  requiredFile: "index.html",
  claim: "blog-content",
  runAsUser: 65_532,
  memoryLimit: "192Mi",
};

let pushgateway: Service;
let tools: string;
beforeAll(async () => {
  await ensurePackages({}, ["rclone", "busybox"]);
  pushgateway = await startPushgateway();
  tools = await mkdtemp(join(tmpdir(), "regwarden-drive-tools-"));
  for (const tool of BUSYBOX_TOOLS) await symlink(findCommand("busybox") ?? "", join(tools, tool));
  await symlink(findCommand("rclone") ?? "", join(tools, "rclone"));
});
afterAll(async () => {
  await pushgateway?.stop();
  await rm(tools, { recursive: true, force: true });
});

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "regwarden-drive-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const part of ["source", "target", "scratch"]) await mkdir(join(directory, part));
  // The remote's name stands for Drive; its files lie on this disk.
  await writeFile(
    join(directory, "rclone.conf"),
    `[drive]\ntype = alias\nremote = ${join(directory, "source")}\n`,
  );
});

async function files(part: "source" | "target", ...names: readonly string[]): Promise<void> {
  for (const name of names) await writeFile(join(directory, part, name), name);
}

const numbered = (count: number) => Array.from({ length: count }, (_, at) => `page [${at}].html`);
const target = () => readdirSync(join(directory, "target")).sort();

interface Outcome {
  readonly exitCode: number | null;
  readonly output: string;
}

function synchronise(change: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const env = {
    ...driveSyncVariables({ ...SITE, source: "drive:" }, pushgateway.url),
    PATH: tools,
    RCLONE_SOURCE_CONFIG: join(directory, "rclone.conf"),
    TARGET: join(directory, "target"),
    SCRATCH: join(directory, "scratch"),
    HOME: join(directory, "scratch"),
    ...change,
  };
  const child = spawn(join(tools, "sh"), ["-c", driveSyncScript()], { env, timeout: 30_000 });
  let output = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  child.stderr.on("data", (text) => {
    output += text;
  });
  return new Promise((resolve) => child.on("close", (exitCode) => resolve({ exitCode, output })));
}

/** What the Pushgateway has of the site, by the metrics' short names. */
async function pushed(): Promise<Record<string, number>> {
  const text = await (await fetch(`${pushgateway.url}/metrics`)).text();
  const lines = text.matchAll(/^regwarden_drive_sync_(\w+)\{.*site="blog".*\} (\S+)$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, Number(value)]));
}

const recently = () => Date.now() / 1000 - 60;

describe("the Drive synchronisation", () => {
  test("copies, deletes what is gone, leaves .DS_Store behind, and says so", async () => {
    await files("source", "index.html", "new page.html", ".DS_Store");
    await files("target", "index.html", ...numbered(25));
    const { exitCode, output } = await synchronise();
    expect(output).not.toContain("FATAL");
    expect(exitCode).toBe(0);
    expect(target()).toEqual(["index.html", "new page.html"]);
    const metrics = await pushed();
    expect(metrics).toMatchObject({ skipped: 0, failed: 0 });
    expect(metrics.success_timestamp_seconds).toBeGreaterThan(recently());
    expect(metrics.last_run_timestamp_seconds).toBeGreaterThan(recently());
  });

  test.each<[string, string[]]>([
    ["an empty source", []],
    ["a source without the required file", ["other.html", "index.html.bak"]],
    ["a source whose file has only a similar name to the required one", ["indexAhtml"]],
  ])("leaves the site alone for %s, and that is a skip and no success", async (_, names) => {
    await files("source", ...names);
    await files("target", "index.html", "old.html");
    const { exitCode, output } = await synchronise();
    expect(output).toContain("GUARD");
    expect(exitCode).toBe(0);
    expect(target()).toEqual(["index.html", "old.html"]);
    const metrics = await pushed();
    expect(metrics).toMatchObject({ skipped: 1, failed: 0 });
    // The group is replaced as a whole: an earlier success does not stay.
    expect(metrics).not.toHaveProperty("success_timestamp_seconds");
  });

  test("deletes nothing at all when 26 files would go", async () => {
    await files("source", "index.html");
    await files("target", "index.html", ...numbered(26));
    const { exitCode, output } = await synchronise();
    expect(output).toContain("26 deletions, more than 25");
    expect(exitCode).toBe(1);
    expect(target()).toHaveLength(27);
    expect(await pushed()).toMatchObject({ skipped: 0, failed: 1 });
  });

  test("fails when the source cannot be listed", async () => {
    await rm(join(directory, "source"), { recursive: true });
    await files("target", "index.html");
    expect((await synchronise()).exitCode).toBe(1);
    expect(target()).toEqual(["index.html"]);
    expect(await pushed()).toMatchObject({ skipped: 0, failed: 1 });
  });

  test("fails when the Pushgateway does not take its metrics", async () => {
    await files("source", "index.html");
    const { exitCode, output } = await synchronise({ PUSH_PATH: "/elsewhere" });
    expect(output).toContain("the Pushgateway did not take the metrics: HTTP/1.0 404");
    expect(exitCode).toBe(1);
    expect(existsSync(join(directory, "target/index.html"))).toBe(true);
  });

  test("writes to a copy of the configuration only", async () => {
    await files("source", "index.html");
    const mounted = join(directory, "rclone.conf");
    const before = readFileSync(mounted, "utf8");
    await synchronise();
    expect(readFileSync(mounted, "utf8")).toBe(before);
    expect(statSync(join(directory, "scratch/rclone.conf")).mode & 0o077).toBe(0);
  });
});
