import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { exitCodes } from "../../../../contract/exit-codes.ts";
import type { GcReport } from "../../../../contract/gc-report.ts";
import { gc } from "../../../support/commands.ts";
import {
  attestation,
  type Content,
  dockerList,
  image,
  imageOf,
  index,
  layer,
  signature,
} from "../../../support/images/oci-content.ts";
import { privateStore, type Store } from "../../../support/store/store.ts";
import { treeOf } from "../../../support/store/tree.ts";

/** Runs that are added up; 256 on request, since each marks the whole store. */
const counts = process.env.REGWARDEN_ALL_SHARDS === undefined ? [1, 16] : [1, 16, 256];
const rules = ["--dead-for", "0s", "--overwritten", "0s", "--budget", "100%"];

/** Of each kind some that have a tag and some that have none, sharing what they hold. */
async function pushAll(store: Store): Promise<void> {
  for (let at = 0; at < 12; at++) {
    const repository = `team${at % 3}/app`;
    const plain = image(`image ${at % 17}`, "linux/amd64");
    const shared = imageOf("linux/arm64", [layer("base"), layer(`own ${at}`)]);
    const aliased = imageOf("linux/s390x", [layer(`long ${at % 11}`, "oci", "sha512")]);
    const contents: readonly Content[] = [
      plain,
      index([shared, attestation(shared)]),
      index([index([plain, aliased])]),
      dockerList([image(`docker ${at}`, "linux/amd64", "docker")]),
      signature(shared),
    ];
    for (const [kind, content] of contents.entries())
      await store.push(repository, content, ...((at + kind) % 3 === 0 ? [`t${at}-${kind}`] : []));
    await store.layer(repository, `orphan ${at}`);
  }
}

async function age(directory: string): Promise<void> {
  const then = new Date(Date.now() - 2 * 86_400_000);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }))
    await utimes(join(entry.parentPath, entry.name), then, then);
}

/** Hundreds of runs that write to the disk what they do would take minutes. */
async function inMemory(): Promise<string> {
  const path = await mkdtemp(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "regwarden-shards-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** What reports of parts come to, added up. */
function merged(reports: readonly GcReport[]) {
  const sums: Record<string, number> = {};
  for (const { registries } of reports)
    for (const { kept, removed, spared } of registries)
      for (const [group, counts] of Object.entries({ kept, removed, spared }))
        for (const [name, count] of Object.entries(counts)) {
          const key = `${group}.${name}`;
          sums[key] = (sums[key] ?? 0) + count;
        }
  const names = reports.flatMap(({ registries }) =>
    registries.flatMap((one) => one.repositories.map((r) => r.name)),
  );
  return { sums, repositories: [...new Set(names)].sort() };
}

async function runShards(root: string, count: number, ...flags: readonly string[]) {
  const reports: GcReport[] = [];
  for (let part = 1; part <= count; part++) {
    const { report, exitCode, stderr } = await gc(root, ...rules, "--shard", `${part}/${count}`, ...flags);
    expect(stderr).toBe("");
    expect([exitCodes.clean, exitCodes.findings]).toContain(exitCode);
    expect(report.registries.flatMap(({ refused }) => refused ?? [])).toEqual([]);
    reports.push(report);
  }
  return merged(reports);
}

test("the merged reports and the swept set are equal for any number of shards", async () => {
  const { root, store } = await privateStore();
  await pushAll(store);
  const outcomes = [];
  for (const count of counts) {
    const copy = join(await inMemory(), "root");
    await cp(root, copy, { recursive: true });
    await age(copy);
    const planned = merged([(await gc(copy, ...rules)).report]);
    const applied = await runShards(copy, count, "--apply", "--offline");
    expect(applied).toEqual(planned);
    outcomes.push({ applied, tree: await treeOf(join(copy, "private")) });
  }
  const [whole, ...others] = outcomes;
  expect(whole?.applied.sums["removed.blobs"]).toBeGreaterThan(30);
  for (const other of others) expect(other).toEqual(whole);
}, 300_000);
