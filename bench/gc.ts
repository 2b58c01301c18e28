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
import { usualTags, writeSyntheticStore } from "./synthetic-store.ts";

interface Shape {
  /** About. */
  readonly files: number;
  /** Of each repository. */
  readonly tags: number;
}

/** The usual shape at three sizes; the last again with as many tags as CI leaves where nothing removes them. */
const shapes: readonly Shape[] = [
  { files: 1_200, tags: usualTags },
  { files: 12_000, tags: usualTags },
  { files: 120_000, tags: usualTags },
  { files: 120_000, tags: 200 },
];
const largeShape: Shape = { files: 1_200_000, tags: usualTags };
/** Of so many tags of a repository, one is dropped. */
const dropEvery = 4;

/**
 * A collection of stores of which every fourth tag was dropped, each store ten times the one before: ours and, on copies,
 * the registry's own, all while nothing serves the store and from a warm cache:
 *
 * - `garbage-collect -m`, which does the same work: it finds out which manifests have no tag, and removes them and their
 *   blobs. It looks each manifest up among all tags of its repository, so its time depends on how many these are.
 * - `garbage-collect`, which keeps manifests without a tag: theirs were removed by their digests before, and ours removes
 *   them beside what it does.
 *
 * All are to remove the same blobs. Then ours is undone and collects again with a real freeze by nginx, in as many runs as
 * the budget of a freeze asks for; the longest freeze counts. Beside ours, what it takes to remove for good what lies in
 * the quarantine: the registry's own does so at once.
 */
export async function benchGc(flags: readonly string[]): Promise<string> {
  const scratch = createScratch();
  const nginx = await startStackNginx({});
  const all = flags.includes("--large") ? [...shapes.slice(1), largeShape] : shapes;
  const done: Compared[] = [];
  try {
    for (const shape of all)
      done.push(await compare(join(scratch.directory, `${shape.files}-${shape.tags}`), shape, nginx));
  } finally {
    await nginx.stop();
    scratch.dispose();
  }
  const machine = `${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}`;
  return [
    "Seconds (of all processors), and how many times as long as gc:\n",
    `${table([timeHead, ...done.map((one) => timeRow(one, done))])}\n\n`,
    `${table([restHead, ...done.map(restRow)])}\n`,
    `  Stores ${scratch.description}; ${machine}.\n`,
  ].join("");
}

interface Compared extends Shape {
  readonly removed: number;
  readonly own: MeasuredRun;
  readonly plain: MeasuredRun;
  readonly untagging: MeasuredRun;
  readonly purge: MeasuredRun;
  /** Seconds of each. */
  readonly freezes: readonly number[];
}

async function compare(
  root: string,
  shape: Shape,
  nginx: Awaited<ReturnType<typeof startStackNginx>>,
): Promise<Compared> {
  const [own, plainCopy, untaggingCopy] = ["own", "plain", "untagging"].map((name) =>
    join(root, name, "private"),
  ) as [string, string, string];
  // Written thrice: that is faster than to copy, and all are as warm as each other.
  let files = 0;
  for (const store of [own, plainCopy, untaggingCopy]) {
    files = await writeSyntheticStore(store, shape.files, shape.tags);
    dropImages(store, { withManifests: store === plainCopy });
  }
  const before = countBlobs(own);
  say(`${files} files, ${shape.tags} tags a repository, ${before} blobs: written`);
  const plain = await collectByRegistry(plainCopy, root, []);
  const untagging = await collectByRegistry(untaggingCopy, root, ["--delete-untagged"]);
  const { run, report, left } = await collectByGc(join(root, "own"), ["--offline"]);
  if (left > 0) throw new Error(`gc left ${left} links and blobs for want of time`);
  await regwarden(["gc", join(root, "own"), "--undo", report.run ?? "", "--apply", "--json"]);
  if (countBlobs(own) !== before) throw new Error("the undo did not put everything back");
  const freezes = await collectWithFreezes(join(root, "own"), nginx);
  const removed = before - countBlobs(own);
  const byPeers = [plainCopy, untaggingCopy].map((store) => before - countBlobs(store));
  if (removed === 0 || byPeers.some((count) => count !== removed))
    throw new Error(`gc removed ${removed} blobs, garbage-collect ${byPeers.join(" and with -m ")}`);
  const purge = await regwarden(["gc", join(root, "own"), "--purge", "0s", "--apply", "--json"]);
  say(
    `  garbage-collect ${inSeconds(plain)}, with -m ${inSeconds(untagging)}, gc ${inSeconds(run)}, freeze ${describeFreezes(freezes)}, purge ${inSeconds(purge)}`,
  );
  await rm(root, { recursive: true });
  return { files, tags: shape.tags, removed, own: run, plain, untagging, purge, freezes };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Removes tags as retention does; with their manifests' links, as requests for the manifests' digests do. */
function dropImages(directory: string, { withManifests }: { readonly withManifests: boolean }): void {
  for (const group of readdirSync(repositoriesPath(directory)))
    for (const app of readdirSync(join(repositoriesPath(directory), group))) {
      const repository = `${group}/${app}`;
      for (const [at, tag] of readdirSync(tagsPath(directory, repository)).sort().entries()) {
        if (at % dropEvery !== 0) continue;
        const manifest = parseDigest(readFileSync(tagLinkPath(directory, repository, tag), "latin1"));
        if (!manifest) throw new Error(`${repository}:${tag} has no link`);
        rmSync(join(tagsPath(directory, repository), tag), { recursive: true });
        if (withManifests)
          rmSync(linkDirectory(revisionsPath(directory, repository), manifest), { recursive: true });
      }
    }
}

function countBlobs(directory: string): number {
  const prefixes = join(blobsPath(directory), "sha256");
  return readdirSync(prefixes).reduce((sum, prefix) => sum + readdirSync(join(prefixes, prefix)).length, 0);
}

async function collectByRegistry(
  directory: string,
  scratch: string,
  options: readonly string[],
): Promise<MeasuredRun> {
  const config = join(scratch, "config.yml");
  await writeFile(
    config,
    `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${directory}\n`,
  );
  const binary = await registryBinary();
  const run = await runProcess(binary, ["garbage-collect", ...options, config], { keepsOutput: false });
  if (run.exitCode !== 0) throw new Error(`garbage-collect ended with ${run.exitCode}`);
  return run;
}

async function collectByGc(root: string, safety: readonly string[]) {
  const atOnce = ["--dead-for", "0s", "--grace", "0s", "--overwritten", "0s", "--budget", "100%"];
  const run = await regwarden(["gc", root, "--apply", ...atOnce, ...safety, "--json"]);
  const report = JSON.parse(run.output) as GcReport;
  const { registries, proof } = report;
  const refused = registries.flatMap((registry) => registry.refused ?? []);
  const left = registries.reduce((sum, { spared }) => sum + spared.outOfTime, 0);
  if (refused.length > 0 || proof?.lost.length !== 0)
    throw new Error(`gc did not do its work: ${refused.join(" ")}`);
  return { run, report, left };
}

async function collectWithFreezes(
  root: string,
  nginx: Awaited<ReturnType<typeof startStackNginx>>,
): Promise<readonly number[]> {
  const { flag, statusUrl } = nginx.freeze;
  // As the rotation begins it: no client asked for anything since.
  const begins = Math.floor(Date.now() / 1000) - 3600;
  await writeFile(nginx.recordedLog, `${JSON.stringify({ begins, follows: null })}\n`);
  const freeze = ["--freeze", flag, "--freeze-status", statusUrl, "--access-log", nginx.recordedLog];
  const freezes: number[] = [];
  for (let left = 1; left > 0; ) {
    const one = await collectByGc(root, freeze);
    if (one.report.freezeSeconds === null) throw new Error("gc held no writes");
    freezes.push(one.report.freezeSeconds);
    left = one.left;
  }
  return freezes;
}

async function regwarden(args: readonly string[]): Promise<MeasuredRun> {
  const run = await runProcess(nodeBinary, [join(projectRoot, builtBundle), ...args]);
  if (run.exitCode !== 0)
    throw new Error(`${args[0]} ended with ${run.exitCode}: ${run.output.slice(0, 2000)}`);
  return run;
}

const timeHead = [
  "files",
  "tags a repository",
  "gc",
  "gc, of a tenth",
  "garbage-collect -m",
  "of gc",
  "garbage-collect",
  "of gc",
];

function timeRow(compared: Compared, all: readonly Compared[]): readonly string[] {
  const { files, tags, own, plain, untagging } = compared;
  const tenth = all.find((one) => one.tags === tags && Math.round(files / one.files) === 10);
  return [
    String(files),
    String(tags),
    inSeconds(own),
    tenth ? times(own, tenth.own) : "",
    inSeconds(untagging),
    times(untagging, own),
    inSeconds(plain),
    times(plain, own),
  ];
}

const restHead = [
  "files",
  "tags a repository",
  "removed blobs",
  "gc's memory",
  "with -m",
  "without",
  "freeze",
  "purge",
];

function restRow(compared: Compared): readonly string[] {
  const { files, tags, removed, own, plain, untagging, purge, freezes } = compared;
  return [
    String(files),
    String(tags),
    String(removed),
    ...[own, untagging, plain].map(({ peakBytes }) => `${(peakBytes / 1e6).toFixed(0)} MB`),
    describeFreezes(freezes),
    inSeconds(purge),
  ];
}

function inSeconds({ seconds, processorSeconds }: MeasuredRun): string {
  return `${seconds.toFixed(2)} s (${processorSeconds.toFixed(2)} s)`;
}

function times(one: MeasuredRun, other: MeasuredRun): string {
  return `${(one.seconds / other.seconds).toFixed(1)} x`;
}

function describeFreezes(freezes: readonly number[]): string {
  const longest = `${Math.max(...freezes).toFixed(2)} s`;
  return freezes.length === 1 ? longest : `${longest}, longest of ${freezes.length}`;
}
