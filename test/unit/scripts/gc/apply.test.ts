import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { GcPurgeReport } from "../../../../contract/gc-purge-report.ts";
import type { GcReport } from "../../../../contract/gc-report.ts";
import type { GcUndoReport } from "../../../../contract/gc-undo-report.ts";
import { rootWithDead } from "../../../support/gc/dead-store.ts";
import { timedTree } from "../../../support/gc/timed-tree.ts";
import { regwarden, withReport } from "../../../support/program.ts";
import { holdLock } from "../../../support/store/lock-holder.ts";

async function gc<T = GcReport>(root: string, ...argv: readonly string[]) {
  return withReport<T>(await regwarden(["gc", root, "--json", ...argv]));
}

const collect = ["--dead-for", "0s", "--budget", "100%", "--offline", "--apply"];

test("gc removes what is dead, undoes it byte for byte, removes it again, and purges it", async () => {
  const { root, paths, quarantine } = await rootWithDead();
  const tree = () => timedTree(join(root, "private", "docker"));
  const before = await tree();

  const collected = await gc(root, ...collect);
  expect(collected.exitCode).toBe(0);
  expect(collected.report).toMatchObject({
    applied: true,
    complete: true,
    registries: [{ removed: { revisionLinks: 2, layerLinks: 4, blobs: 7 }, refused: null }],
    proof: { tags: 1, lost: [] },
    freezeSeconds: null,
  });
  expect(paths.filter((path) => existsSync(path))).toEqual([]);

  const undone = await gc<GcUndoReport>(root, "--undo", collected.report.run ?? "", "--apply");
  expect(undone).toMatchObject({ exitCode: 0, report: { putBack: { blobs: 7 }, left: [] } });
  expect(await tree()).toEqual(before);

  expect((await gc(root, ...collect)).exitCode).toBe(0);
  expect((await gc(root, ...collect)).report).toMatchObject({
    run: null,
    registries: [{ removed: { blobs: 0 } }],
  });
  const metrics = join(root, "purge.prom");
  const purged = await gc<GcPurgeReport>(root, "--purge", "0s", "--apply", "--metrics", metrics);
  expect(purged).toMatchObject({ exitCode: 0, report: { complete: true } });
  expect(existsSync(quarantine)).toBe(true);
  expect(paths.filter((path) => existsSync(path))).toEqual([]);
});

test("People read what an undo and a purge do, and what to type", async () => {
  const { root } = await rootWithDead();
  const { report } = await gc(root, ...collect);
  const run = report.run ?? "";

  const undo = await regwarden(["gc", root, "--undo", run]);
  expect(undo.exitCode).toBe(1);
  expect(undo.stdout).toContain(
    `Undoing ${run} would put back 2 manifest links, 4 layer links and 7 blobs of`,
  );
  expect(undo.stdout).toContain(`regwarden gc ${root} --undo ${run} --apply`);
  const purge = await regwarden(["gc", root, "--purge", "7d"]);
  expect(purge.stdout).toContain("stays: younger than the age");
  expect(await regwarden(["gc", root, "--undo", "none"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining(`Runs: ${run}`),
  });
});

test("While another run holds the lock, a collection, an undo and a purge are refused with its name", async () => {
  const { root, store } = await rootWithDead();
  const { report } = await gc(root, ...collect);
  await rm(join(root, ".regwarden", "ledger"), { recursive: true, force: true });
  const holder = await holdLock(store.directory);

  for (const argv of [collect, ["--undo", report.run ?? "", "--apply"], ["--purge", "0s", "--apply"]]) {
    const { exitCode, stderr } = await regwarden(["gc", root, ...argv]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`process ${holder.pid} on`);
  }
});

test("Without an access log that reaches back to the begin of the grace, nothing is removed", async () => {
  const { root, paths } = await rootWithDead();
  const log = join(root, "access.log");
  const argv = ["--dead-for", "0s", "--budget", "100%", "--apply", "--offline", "--access-log", log];
  const refused = { exitCode: 3, report: { run: null, registries: [{ refusedFor: "touched" }] } };

  expect(await gc(root, ...argv)).toMatchObject(refused);
  const now = Date.now() / 1000;
  await writeFile(
    log,
    `${JSON.stringify({ time: now, method: "GET", uri: "/v2/", status: "200", agent: "" })}\n`,
  );
  expect(await gc(root, ...argv)).toMatchObject(refused);
  expect(paths.every((path) => existsSync(path))).toBe(true);

  await writeFile(log, `${JSON.stringify({ begins: now - 3 * 3600, follows: null })}\n`);
  expect(await gc(root, ...argv)).toMatchObject({ exitCode: 0 });
});
