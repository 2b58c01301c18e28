import { hash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { GcReport } from "../../../../contract/gc-report.ts";
import { tagsPath } from "../../../../scripts/registry/paths.ts";
import { readGauge } from "../../../../scripts/report/exposition.ts";
import { digest, image } from "../../../support/images/oci-content.ts";
import { inUseDocument } from "../../../support/in-use-document.ts";
import { regwarden, temporaryDirectory, withReport } from "../../../support/program.ts";
import { age, day, hour } from "../../../support/store/marks.ts";
import { privateStore, type Store } from "../../../support/store/store.ts";
import { treeOf } from "../../../support/store/tree.ts";

/** Runs gc with `--json`. */
async function gc(root: string, ...argv: readonly string[]) {
  return withReport<GcReport>(await regwarden(["gc", root, "--json", ...argv]));
}

/** A data root with four images of a tag each, and one without, a day old. */
async function rootWithDead() {
  const { root, store } = await privateStore();
  for (const tag of ["1", "2", "3", "4"]) await store.push("app", image(tag, "linux/amd64"), tag);
  await store.push("app", image("gone", "linux/amd64"));
  await age(store.directory, day);
  return { root, store };
}

/** Sets the ledger's times back, as if its mark had been made earlier. */
async function ageLedger(root: string, byMs: number): Promise<void> {
  const path = join(root, ".regwarden", "ledger", "private.jsonl");
  const [head, ...rest] = (await readFile(path, "utf8")).split("\n").slice(0, -2);
  const parsed = JSON.parse(head ?? "");
  const { markedAt, uptimeSeconds } = parsed;
  const older = {
    ...parsed,
    markedAt: markedAt - byMs,
    uptimeSeconds: Math.max(0, uptimeSeconds - byMs / 1000),
  };
  const lines = [
    JSON.stringify(older),
    ...rest.map((line) => line.replaceAll(/:(\d{13})/g, (_, since) => `:${Number(since) - byMs}`)),
  ].map((line) => `${line}\n`);
  const sha256 = hash("sha256", lines.join(""));
  const entries = rest.join("").match(/:\d{13}/g)?.length ?? 0;
  await writeFile(path, `${lines.join("")}${JSON.stringify({ entries, sha256 })}\n`);
}

describe("without --apply, gc", () => {
  test("plans what it would remove, and changes nothing of the store", async () => {
    const { root, store } = await rootWithDead();
    const before = await treeOf(store.directory);
    const { exitCode, report } = await gc(root, "--dead-for", "0s");
    expect(exitCode).toBe(1);
    expect(report).toMatchObject({ applied: false, complete: true, run: null, proof: null });
    expect(report.registries).toMatchObject([
      {
        name: "private",
        kept: { manifests: 4, blobs: 12 },
        removed: { revisionLinks: 1, layerLinks: 2, blobs: 3 },
        repositories: [{ name: "app", revisionLinks: 1, layerLinks: 2, spared: 0 }],
        refused: null,
      },
    ]);
    expect(await treeOf(store.directory)).toEqual(before);
  });

  test("finds nothing dead in its first mark, and begins a ledger", async () => {
    const { root } = await rootWithDead();
    const { exitCode, report } = await gc(root);
    expect(exitCode).toBe(0);
    expect(report.registries).toMatchObject([
      {
        removed: { blobs: 0 },
        spared: { notDeadLongEnough: 6, young: 0 },
        ledger: { state: "begun", entries: 6, written: true },
      },
    ]);
  });

  test("finds dead in a later mark what a former one found unreached for long enough", async () => {
    const { root } = await rootWithDead();
    await gc(root);
    expect((await gc(root, "--dead-for", "1h")).report.registries[0]?.removed.blobs).toBe(0);
    await ageLedger(root, 2 * hour);
    const { report } = await gc(root, "--dead-for", "1h");
    expect(report.registries).toMatchObject([{ removed: { blobs: 3 }, ledger: { state: "read" } }]);
  });

  test("begins anew for what a tag needed meanwhile", async () => {
    const { root, store } = await rootWithDead();
    await gc(root);
    await ageLedger(root, 2 * hour);
    await store.manifest("app", image("gone", "linux/amd64").bytes, "5");
    await gc(root, "--dead-for", "1h");
    await removeTag(store, "5");
    await age(store.directory, day);
    const { report } = await gc(root, "--dead-for", "1h");
    expect(report.registries).toMatchObject([{ removed: { blobs: 0 }, spared: { notDeadLongEnough: 6 } }]);
  });

  test("writes no ledger where none is wanted", async () => {
    const { root } = await rootWithDead();
    const { report } = await gc(root, "--no-ledger");
    expect(report.registries).toMatchObject([{ ledger: { state: "none", written: false } }]);
    expect([...(await treeOf(root)).keys()].some((path) => path.startsWith(".regwarden"))).toBe(false);
  });

  test("keeps what is over the budget, and says what to type", async () => {
    const { root } = await rootWithDead();
    const { exitCode, report } = await gc(root, "--dead-for", "0s", "--budget", "10%");
    expect(exitCode).toBe(1);
    expect(report.registries).toMatchObject([{ refusedFor: "budget", removed: { blobs: 3 } }]);
    const text = await regwarden(["gc", root, "--dead-for", "0s", "--budget", "10%"]);
    expect(text.stdout).toContain("--budget 20%");
  });

  test("says in a table what goes, why the rest stays, and what to type", async () => {
    const { root } = await rootWithDead();
    const { stdout } = await regwarden(["gc", root, "--dead-for", "0s"]);
    expect(stdout).toMatch(/private\/app +1 +2 +0/);
    expect(stdout).toMatch(/6 things would go, which frees .* the same command with --apply/);
    expect((await regwarden(["gc", root])).stdout).toMatch(/NOT DEAD LONG ENOUGH/);
  });

  test("says why nothing is dead yet, and when that changes", async () => {
    const { root } = await rootWithDead();
    const { stdout } = await regwarden(["gc", root]);
    expect(stdout).toContain("private: The ledger is not there: this is the first mark.\n");
    expect(stdout).toContain("private: What is unreached now is dead when a later mark still finds it so.\n");
    expect(stdout).toMatch(/Nothing to remove yet: 6 things that no tag needs have not been dead for long/);
  });

  test("says of a run without a ledger what makes things dead then, unless they are", async () => {
    const { root } = await rootWithDead();
    expect((await regwarden(["gc", root, "--no-ledger"])).stdout).toContain(
      "private: No ledger is used (--no-ledger), so nothing is dead without --dead-for 0s.\n",
    );
    expect((await regwarden(["gc", root, "--no-ledger", "--dead-for", "0s"])).stdout).not.toMatch(/ledger/);
  });

  test("writes what a run came to as metrics, and what a former one said of what it does not know", async () => {
    const { root } = await rootWithDead();
    const path = join(await temporaryDirectory(), "gc.prom");
    await gc(root, "--metrics", path);
    const text = await readFile(path, "utf8");
    expect(readGauge(text, "regwarden_collect_complete")).toBe(1);
    expect(text).toMatch(/regwarden_collect_bytes\{registry="private",state="dead"\} \d{3,}/);
    await regwarden(["gc", join(root, "none"), "--metrics", path]);
    const second = await readFile(path, "utf8");
    expect(readGauge(second, "regwarden_collect_complete")).toBe(0);
    expect(readGauge(second, "regwarden_collect_mark_timestamp_seconds")).toBe(
      readGauge(text, "regwarden_collect_mark_timestamp_seconds"),
    );
  });
});

async function removeTag(store: Store, tag: string): Promise<void> {
  await rm(join(tagsPath(store.directory, "app"), tag), { recursive: true });
}

describe("gc refuses", () => {
  test("a plan over its budget with --apply as well, and does not call removed what is not", async () => {
    const { root } = await rootWithDead();
    const flags = ["--dead-for", "0s", "--budget", "10%", "--offline", "--apply"];
    const { exitCode, stdout } = await regwarden(["gc", root, ...flags]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/TO REMOVE/);
    expect(stdout).toMatch(/6 things would go, which frees [^\n]* once purged\.\n$/);
  });

  test("a cache that is asked for by name", async () => {
    const { root, store } = await rootWithDead();
    const flags = ["--registry", "private", "--cache", "private"];
    const { exitCode, stderr } = await regwarden(["gc", root, ...flags]);
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringMatching(/private is a pull-through cache: .* --authoritative NAME/),
    ]);
    expect((await treeOf(root)).has(".regwarden")).toBe(false);
    expect((await treeOf(store.directory)).size).toBeGreaterThan(0);
  });

  test("a list of the images in use that cannot be read", async () => {
    const { root } = await rootWithDead();
    const { exitCode, stderr } = await gc(root, "--in-use", join(root, "none.json"), "--instance", "r:5000");
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/it is missing.*Nothing was removed/);
  });

  test.each([
    ["stale", { now: Date.now() - 3 * day }, /older than 24 hours/],
    ["incomplete", { complete: false }, /is incomplete/],
    ["about another registry", { registries: [{ name: "other:5000", complete: true }] }, /and not about/],
    ["of the future", { now: Date.now() + day }, /in the future/],
  ])(
    "a list of the images in use that is %s: a mark, a collection and a purge alike",
    async (_, given, text) => {
      const { root, store } = await rootWithDead();
      const list = join(await temporaryDirectory(), "in-use.json");
      const images = [{ repository: "app", tag: "1", digest: null, digests: [] }];
      await writeFile(list, JSON.stringify(inUseDocument({ images, ...given })));
      const flags = ["--dead-for", "0s", "--in-use", list, "--instance", "registry.example:5050"];
      const before = await treeOf(store.directory);
      for (const mode of [[], ["--offline", "--apply"], ["--purge", "0s"], ["--purge", "0s", "--apply"]]) {
        const { exitCode, stdout, stderr } = await regwarden(["gc", root, ...flags, ...mode]);
        expect([exitCode, stdout], mode.join(" ")).toEqual([3, ""]);
        expect(stderr).toMatch(text);
        expect(stderr).toContain("Nothing was removed");
      }
      // A mark that went by such a list would say of what is in use that it is dead since then.
      expect([...(await treeOf(root)).keys()].some((path) => path.startsWith(".regwarden"))).toBe(false);
      expect(await treeOf(store.directory)).toEqual(before);
    },
  );

  test.each([
    [["--apply"], "--offline"],
    [["--apply", "--offline", "--freeze", "f", "--freeze-status", "http://x"], "contradict"],
    [["--undo", "x", "--purge", "7d"], "takes one"],
    [["--watch"], "--access-log"],
    [["--dead-for", "1"], "24h"],
    [["--shard", "3/5"], "power of two"],
    [["--shard", "0/2"], "power of two"],
    [["--budget", "200%"], "0% to 100%"],
    [["--freeze", "f"], "belong together"],
    [["--in-use", "x"], "--instance"],
  ])("%j", async (argv, message) => {
    const { exitCode, stderr } = await gc("/nowhere", ...argv);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });

  test("a data root of caches", async () => {
    const { root, store } = await rootWithDead();
    await store.put(join(store.directory, "scheduler-state.json"), "{}");
    const { exitCode, stderr } = await gc(root);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("--authoritative");
    expect((await gc(root, "--authoritative", "private")).exitCode).toBe(0);
  });
});

test("images in use keep their manifests without a tag", async () => {
  const { root } = await rootWithDead();
  const gone = digest(image("gone", "linux/amd64"));
  const used = {
    schema: "regwarden/in-use/v1",
    finishedAt: new Date().toISOString(),
    durationSeconds: 1,
    complete: true,
    registries: [{ name: "r:5000", complete: true }],
    images: [{ registry: "r:5000", repository: "app", tag: "9", digest: gone, digests: [] }],
  };
  const path = join(root, "in-use.json");
  await writeFile(path, JSON.stringify(used));
  const { report } = await gc(root, "--dead-for", "0s", "--in-use", path, "--instance", "r:5000");
  expect(report.registries).toMatchObject([{ removed: { blobs: 0 }, kept: { manifests: 5 } }]);
});
