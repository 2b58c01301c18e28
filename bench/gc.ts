import { readdirSync, readFileSync, rmSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import type { GcReport } from "../contract/gc-report.ts";
import { builtBundle } from "../contract/host-paths.ts";
import { registryBinary } from "../lab/images/registry-binary.ts";
import { nodeBinary, projectRoot } from "../lab/machine/paths.ts";
import { table } from "../lab/machine/screen.ts";
import { parseDigest } from "../scripts/registry/digest.ts";
import {
  blobsPath,
  linkDirectory,
  repositoriesPath,
  revisionsPath,
  tagLinkPath,
  tagsPath,
} from "../scripts/registry/paths.ts";
import { startStackNginx } from "../test/support/registry/stack-nginx.ts";
import { type MeasuredRun, runProcess } from "./run-process.ts";
import { createScratch } from "./scratch-file-system.ts";
import { writeSyntheticStore } from "./synthetic-store.ts";

const sizes = [1_200, 12_000, 120_000];
const largeSize = 1_200_000;
/** Of so many tags of a repository, one is dropped. */
const dropEvery = 4;

/**
 * A collection of stores of which every fourth image was dropped, each store ten times the one before: ours and, on a
 * copy, the registry's own `garbage-collect`, both while nothing serves the store. Both are to remove the same blobs; the
 * images' manifests were removed by their digests before, since it keeps manifests without a tag. Then ours is undone and
 * collects again with a real freeze by nginx, whose seconds are measured. Beside ours, what it takes to remove what lies in
 * the quarantine.
 */
export async function benchGc(flags: readonly string[]): Promise<string> {
  const scratch = createScratch();
  const nginx = await startStackNginx({});
  const rows: string[][] = [];
  let former: Compared | undefined;
  try {
    const all = flags.includes("--large") ? [...sizes.slice(1), largeSize] : sizes;
    for (const size of all) {
      const compared = await compare(join(scratch.directory, String(size)), size, nginx);
      rows.push(row(compared, former));
      former = compared;
    }
  } finally {
    await nginx.stop();
    scratch.dispose();
  }
  const head = ["files", "removed blobs", "garbage-collect", "gc", "ratio", "gc and purge", "ratio"];
  const more = ["memory", "gc's memory", "freeze", "gc, of a tenth"];
  const machine = `${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}`;
  return `${table([[...head, ...more], ...rows])}\n  Stores ${scratch.description}; ${machine}.\n`;
}

interface Compared {
  readonly files: number;
  readonly removed: number;
  readonly peer: MeasuredRun;
  readonly own: MeasuredRun;
  readonly purge: MeasuredRun;
  readonly freezeSeconds: number;
}

async function compare(
  root: string,
  size: number,
  nginx: Awaited<ReturnType<typeof startStackNginx>>,
): Promise<Compared> {
  const [own, copy] = [join(root, "own/private"), join(root, "copy/private")];
  // Written twice: that is faster than a copy, and both are as warm as each other.
  const files = await writeSyntheticStore(own, size);
  await writeSyntheticStore(copy, size);
  for (const store of [own, copy]) dropImages(store);
  const before = countBlobs(own);
  say(`${files} files, ${before} blobs: written`);
  const peer = await collectByRegistry(copy, root);
  const { run, report } = await collectByGc(join(root, "own"), ["--offline"]);
  await regwarden(["gc", join(root, "own"), "--undo", report.run ?? "", "--apply", "--json"]);
  if (countBlobs(own) !== before) throw new Error("the undo did not put everything back");
  const freezeSeconds = await collectWithFreeze(join(root, "own"), nginx);
  const removed = before - countBlobs(own);
  if (removed === 0 || removed !== before - countBlobs(copy))
    throw new Error(`gc removed ${removed} blobs, garbage-collect ${before - countBlobs(copy)}`);
  const purge = await regwarden(["gc", join(root, "own"), "--purge", "0s", "--apply", "--json"]);
  say(
    `  garbage-collect ${peer.seconds.toFixed(2)} s, gc ${run.seconds.toFixed(2)} s, freeze ${freezeSeconds.toFixed(2)} s`,
  );
  await rm(root, { recursive: true });
  return { files, removed, peer, own: run, purge, freezeSeconds };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Removes tags and their manifests' links, as requests for the manifests' digests do. */
function dropImages(directory: string): void {
  for (const group of readdirSync(repositoriesPath(directory)))
    for (const app of readdirSync(join(repositoriesPath(directory), group))) {
      const repository = `${group}/${app}`;
      for (const [at, tag] of readdirSync(tagsPath(directory, repository)).entries()) {
        if (at % dropEvery !== 0) continue;
        const manifest = parseDigest(readFileSync(tagLinkPath(directory, repository, tag), "latin1"));
        if (!manifest) throw new Error(`${repository}:${tag} has no link`);
        rmSync(join(tagsPath(directory, repository), tag), { recursive: true });
        rmSync(linkDirectory(revisionsPath(directory, repository), manifest), { recursive: true });
      }
    }
}

function countBlobs(directory: string): number {
  const prefixes = join(blobsPath(directory), "sha256");
  return readdirSync(prefixes).reduce((sum, prefix) => sum + readdirSync(join(prefixes, prefix)).length, 0);
}

async function collectByRegistry(directory: string, scratch: string): Promise<MeasuredRun> {
  const config = join(scratch, "config.yml");
  await writeFile(
    config,
    `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${directory}\n`,
  );
  const binary = await registryBinary();
  const run = await runProcess(binary, ["garbage-collect", config], { keepsOutput: false });
  if (run.exitCode !== 0) throw new Error(`garbage-collect ended with ${run.exitCode}`);
  return run;
}

async function collectByGc(root: string, safety: readonly string[]) {
  const atOnce = ["--dead-for", "0s", "--grace", "0s", "--overwritten", "0s", "--budget", "100%"];
  const run = await regwarden(["gc", root, "--apply", ...atOnce, ...safety, "--json"]);
  const report = JSON.parse(run.output) as GcReport;
  const { registries, proof } = report;
  const refused = registries.flatMap((registry) => registry.refused ?? []);
  const outOfTime = registries.reduce((sum, { spared }) => sum + spared.outOfTime, 0);
  if (refused.length > 0 || outOfTime > 0 || proof?.lost.length !== 0)
    throw new Error(`gc did not do its work: ${refused.join(" ")} ${outOfTime} left for want of time`);
  return { run, report };
}

async function collectWithFreeze(
  root: string,
  nginx: Awaited<ReturnType<typeof startStackNginx>>,
): Promise<number> {
  const { flag, statusUrl } = nginx.freeze;
  // As the rotation begins it: no client asked for anything since.
  const begins = Math.floor(Date.now() / 1000) - 3600;
  await writeFile(nginx.recordedLog, `${JSON.stringify({ begins, follows: null })}\n`);
  const freeze = ["--freeze", flag, "--freeze-status", statusUrl, "--access-log", nginx.recordedLog];
  const { freezeSeconds } = (await collectByGc(root, freeze)).report;
  if (freezeSeconds === null) throw new Error("gc held no writes");
  return freezeSeconds;
}

async function regwarden(args: readonly string[]): Promise<MeasuredRun> {
  const run = await runProcess(nodeBinary, [join(projectRoot, builtBundle), ...args]);
  if (run.exitCode !== 0)
    throw new Error(`${args[0]} ended with ${run.exitCode}: ${run.output.slice(0, 2000)}`);
  return run;
}

function row(compared: Compared, former: Compared | undefined): string[] {
  const { files, removed, peer, own, purge, freezeSeconds } = compared;
  const both = own.seconds + purge.seconds;
  return [
    String(files),
    String(removed),
    `${peer.seconds.toFixed(2)} s`,
    `${own.seconds.toFixed(2)} s`,
    `${(peer.seconds / own.seconds).toFixed(1)} x`,
    `${both.toFixed(2)} s`,
    `${(peer.seconds / both).toFixed(1)} x`,
    `${(peer.peakBytes / 1e6).toFixed(0)} MB`,
    `${(own.peakBytes / 1e6).toFixed(0)} MB`,
    `${freezeSeconds.toFixed(2)} s`,
    former === undefined ? "" : `${(own.seconds / former.own.seconds).toFixed(1)} x`,
  ];
}
