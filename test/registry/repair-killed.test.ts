import { execFile } from "node:child_process";
import { appendFile, cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { Finding } from "../../contract/finding.ts";
import { scan } from "../support/commands.ts";
import { isKilledAt } from "../support/kills.ts";
import { regwarden, temporaryDirectory } from "../support/program.ts";
import { findingKey } from "../support/registry/findings.ts";
import { writeDamagedStore } from "../support/store/sample-stores.ts";
import { storeAt } from "../support/store/store.ts";
import { treeOf } from "../support/store/tree.ts";

const program = join(import.meta.dirname, "killed-repair.ts");

async function findingsOf(root: string): Promise<readonly Finding[]> {
  return (await scan(root)).report.findings;
}

/**
 * What is bad now and was not before. Of an image that is missing itself the scan reports only what would keep a link from
 * healing it; so once a blob is back, its link is reported as missing that was missing all along.
 */
function worse(before: readonly Finding[], after: readonly Finding[]): readonly Finding[] {
  const known = new Set(before.map(findingKey));
  const broken = new Set(before.flatMap(({ tags }) => tags));
  const wasHidden = ({ kind, cause, tags }: Finding) =>
    kind === "layer-link" && cause === "link-missing" && tags.every((tag) => broken.has(tag));
  return after.filter((finding) => !known.has(findingKey(finding)) && !wasHidden(finding));
}

const storeTree = (root: string) => treeOf(join(root, "private", "docker"));

/** Takes back everything that was ever done here, the last run first. */
async function undoAll(root: string): Promise<void> {
  const own = join(root, ".regwarden");
  for (const run of (await readdir(own)).sort().reverse()) {
    const files = await readdir(join(own, run));
    if (!files.includes("journal.jsonl")) continue;
    const { exitCode, stderr } = await regwarden(["repair", root, "--undo", join(own, run), "--apply"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
  }
}

test("A repair that is killed anywhere leaves nothing worse; the next one ends its work, an undo takes all back", async () => {
  const pristine = await temporaryDirectory();
  await writeDamagedStore(pristine);
  const [before, damaged] = [await findingsOf(pristine), await storeTree(pristine)];
  const root = join(await temporaryDirectory(), "root");
  const copy = async () => {
    await rm(root, { recursive: true, force: true });
    await cp(pristine, root, { recursive: true });
  };
  await copy();
  expect((await regwarden(["repair", root, "--apply"])).exitCode).toBe(0);
  const whole = await storeTree(root);
  let effect = 1;
  for (await copy(); await isKilledAt(effect, program, root, "--apply"); await copy()) {
    expect(worse(before, await findingsOf(root))).toEqual([]);
    expect((await regwarden(["repair", root, "--apply"])).exitCode).toBe(0);
    expect(await storeTree(root)).toEqual(whole);
    await undoAll(root);
    expect(await storeTree(root)).toEqual(damaged);
    effect += 1;
  }
  // Two blobs, two links, three directories, each with its journal: fewer would mean that the kills missed the work.
  expect(effect).toBeGreaterThan(40);
}, 400_000);

test("An undo that is killed anywhere can be ended by the next", async () => {
  const repaired = join(await temporaryDirectory(), "root");
  await writeDamagedStore(repaired);
  const damaged = await storeTree(repaired);
  expect((await regwarden(["repair", repaired, "--apply"])).exitCode).toBe(0);
  const [run = ""] = await readdir(join(repaired, ".regwarden"));
  const root = join(await temporaryDirectory(), "root");
  const journal = join(root, ".regwarden", run);
  const copy = async () => {
    await rm(root, { recursive: true, force: true });
    // Without its times, all of the copy would pass for written since.
    await cp(repaired, root, { recursive: true, preserveTimestamps: true });
  };
  let effect = 1;
  for (await copy(); await isKilledAt(effect, program, root, "--undo", journal, "--apply"); await copy()) {
    await undoAll(root);
    expect(await storeTree(root)).toEqual(damaged);
    effect += 1;
  }
  expect(effect).toBeGreaterThan(10);
}, 300_000);

test("A journal whose last line was cut off by a power cut is undone as far as it goes", async () => {
  const root = await temporaryDirectory();
  await writeDamagedStore(root);
  const damaged = await storeTree(root);
  await regwarden(["repair", root, "--apply"]);
  const [run = ""] = await readdir(join(root, ".regwarden"));
  await appendFile(join(root, ".regwarden", run, "journal.jsonl"), '{"did":"file","pa');

  await undoAll(root);

  expect(await storeTree(root)).toEqual(damaged);
});

test("A repair that gets a signal to stop makes its step to the end, gives its locks back, and says how to go on", async () => {
  const root = await temporaryDirectory();
  await writeDamagedStore(root);
  await writeSecondImage(root);
  const argv = [program, "SIGTERM", "20", root, "--apply"];

  const stopped = await promisify(execFile)(process.execPath, argv).catch((error: Stopped) => error);

  expect(stopped).toMatchObject({ code: 3, stdout: expect.stringContaining("stopped by SIGTERM") });
  expect(stopped.stdout).toMatch(/Made [1-9]\d* of \d+ changes/);
  await expect(readdir(join(root, "private", ".regwarden"))).rejects.toThrow("ENOENT");
  expect((await regwarden(["repair", root, "--apply"])).exitCode).toBe(0);
});

interface Stopped {
  readonly code: number;
  readonly stdout: string;
}

/** Another tag whose manifest lost its link. */
async function writeSecondImage(root: string): Promise<void> {
  const store = storeAt(join(root, "private"));
  const config = await store.layer("other", "{}");
  const document = { schemaVersion: 2, config: { digest: config, size: 2 }, layers: [] };
  await rm(store.revisionLink("other", await store.manifest("other", document, "1")));
}
