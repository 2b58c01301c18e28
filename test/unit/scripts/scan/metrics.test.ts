import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readGauge } from "../../../../scripts/report/exposition.ts";
import { scan } from "../../../support/commands.ts";
import { regwarden, temporaryDirectory } from "../../../support/program.ts";
import { stoppedServer } from "../../../support/server/server.ts";
import { privateStore } from "../../../support/store/store.ts";

const success = "regwarden_scan_success_timestamp_seconds";

test("a complete scan writes its metrics whole, for everybody to read", async () => {
  const { root, store } = await privateStore();
  await store.layer("app", "x");
  await store.manifest("app", { manifests: [{ digest: `sha256:${"0".repeat(64)}` }] }, "1");
  const path = join(await temporaryDirectory(), "scan.prom");
  const mask = process.umask(0o077);
  await scan(root, "--metrics", path).finally(() => process.umask(mask));
  const text = await readFile(path, "utf8");
  expect((await stat(path)).mode & 0o777).toBe(0o644);
  expect(await readdir(join(path, ".."))).toEqual(["scan.prom"]);
  expect(text).toContain('regwarden_scan_findings{registry="private",severity="critical"} 1\n');
  expect(text).toContain('regwarden_scan_findings{registry="private",severity="info"} 0\n');
  expect(text).toMatch(/^regwarden_scan_blob_bytes\{registry="private"\} \d+$/m);
  expect(readGauge(text, "regwarden_scan_complete")).toBe(1);
  expect(readGauge(text, success)).toBe(readGauge(text, "regwarden_scan_last_run_timestamp_seconds"));
  const free = readGauge(text, "regwarden_scan_filesystem_free_bytes") ?? 0;
  expect(readGauge(text, "regwarden_scan_filesystem_size_bytes")).toBeGreaterThan(free);
});

test.each([
  ["of a former run", `${success} 1700000000\n`, 1700000000],
  ["of nobody", "garbage", undefined],
])("a scan that could not look keeps the success %s, and counts nothing", async (_what, former, expected) => {
  const directory = await temporaryDirectory();
  const path = join(directory, "scan.prom");
  await writeFile(path, former);
  const { exitCode } = await regwarden(["scan", join(directory, "gone"), "--metrics", path]);
  const text = await readFile(path, "utf8");
  expect(exitCode).toBe(3);
  expect(readGauge(text, "regwarden_scan_complete")).toBe(0);
  expect(readGauge(text, success)).toBe(expected);
  expect(readGauge(text, "regwarden_scan_last_run_timestamp_seconds")).toBeGreaterThan(1.7e9);
  expect(text).not.toContain("regwarden_scan_findings");
});

test("a scan that could not read something is not a success", async () => {
  const { root, store } = await privateStore();
  await store.layer("app", "x");
  // A directory where the link should be cannot be read by anybody, not even by root.
  await mkdir(join(store.directory, "docker/registry/v2/repositories/app/_manifests/tags/1/current/link"), {
    recursive: true,
  });
  await chmod(root, 0o755);
  const path = join(root, "scan.prom");
  const { exitCode } = await scan(root, "--metrics", path);
  const text = await readFile(path, "utf8");
  expect([exitCode, readGauge(text, "regwarden_scan_complete"), readGauge(text, success)]).toEqual([
    3,
    0,
    undefined,
  ]);
  expect(text).not.toContain("regwarden_scan_findings");
});

test("a scan whose metrics cannot be put prints its report, says so, and ends as one that could not check", async () => {
  const { root, store } = await privateStore();
  await store.layer("app", "x");
  const gateway = await stoppedServer();
  const { exitCode, stdout, stderr } = await regwarden(["scan", root, "--pushgateway", gateway]);
  expect(exitCode).toBe(3);
  expect(stdout).toContain("No findings.");
  expect(stderr).toBe(
    `regwarden scan: the metrics could not be put, so no alert will fire: the Pushgateway ${gateway} cannot be reached: ECONNREFUSED.\nWhat the run found stands all the same.\n`,
  );
});
