import { readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
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
import { collectAtOnce, collectByRegistry, collectWithFreezes, type Freezes, regwarden } from "./collect.ts";
import type { MeasuredRun } from "./run-process.ts";
import { createScratch } from "./scratch-file-system.ts";
import { writeSyntheticStore } from "./synthetic-store.ts";

interface Shape {
  /** About. */
  readonly files: number;
  /** Of each repository. */
  readonly tags: number;
}

/**
 * A store grows as CI fills it: the same forty repositories, each with ten times the tags. The last is as large, of ten
 * times as many repositories that keep few tags.
 */
const shapes: readonly Shape[] = [
  { files: 1_200, tags: 2 },
  { files: 12_000, tags: 20 },
  { files: 120_000, tags: 200 },
  { files: 120_000, tags: 20 },
];
const largeShape: Shape = { files: 1_200_000, tags: 20 };
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
 * the budget of a freeze asks for; the longest freeze counts. Where the budget is over before anything could be moved, as
 * on a machine that is at work for others, the table says so, and the rest is collected without a freeze. Beside ours,
 * what it takes to remove for good what lies in the quarantine: the registry's own does so at once.
 */
export async function benchGc(flags: readonly string[]): Promise<string> {
  const nginx = await startStackNginx({});
  const all = flags.includes("--large") ? [...shapes.slice(1), largeShape] : shapes;
  const done: Compared[] = [];
  let description = "";
  try {
    for (const shape of all) {
      const scratch = createScratch();
      description = scratch.description;
      try {
        done.push(await compare(scratch.directory, shape, nginx));
      } finally {
        scratch.dispose();
      }
    }
  } finally {
    await nginx.stop();
  }
  const machine = `${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}`;
  return [
    "Seconds (of all processors), and how many times as long as gc:\n",
    `${table([timeHead, ...done.map((one) => timeRow(one, done))])}\n\n`,
    `${table([restHead, ...done.map(restRow)])}\n`,
    `  Stores ${description}; ${machine}.\n`,
  ].join("");
}

interface Compared extends Shape {
  readonly removed: number;
  readonly own: MeasuredRun;
  readonly plain: MeasuredRun;
  readonly untagging: MeasuredRun;
  readonly purge: MeasuredRun;
  readonly freezes: Freezes;
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
  const { run, report } = await collectAtOnce(join(root, "own"));
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
  const tenths = all.filter((one) => Math.round(files / one.files) === 10);
  const tenth = tenths.find((one) => one.tags === tags) ?? tenths[0];
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

function describeFreezes({ seconds, isTooShort }: Freezes): string {
  const longest = `${Math.max(...seconds).toFixed(2)} s`;
  const count = seconds.length === 1 ? longest : `${longest}, longest of ${seconds.length}`;
  return isTooShort ? `${count}, over before all was moved` : count;
}
