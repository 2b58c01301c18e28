import { rm } from "node:fs/promises";
import { join } from "node:path";
import { builtBundle } from "../contract/host-paths.ts";
import type { ScanReport } from "../contract/scan-report.ts";
import { nodeBinary, projectRoot } from "../lab/machine/paths.ts";
import { table } from "../lab/machine/screen.ts";
import { runProcess } from "./run-process.ts";
import { createScratch } from "./scratch-file-system.ts";
import { addUnlinkedBlobs, writeSyntheticStore } from "./synthetic-store.ts";

const sizes = [1_200, 12_000, 120_000];
const runs = 5;
const largeSize = 1_200_000;
const runsOfLarge = 3;
/** Of the store that the memory is measured with. */
const manyBlobs = 2_200_000;

/**
 * The scan of healthy stores, each ten times the one before, against `find -type f` of the same tree, in turns, in one
 * run on one machine, from a warm cache. `--large` adds a store of 1.2 million files, and the memory for it with 2.2
 * million blobs.
 */
export async function benchScan(flags: readonly string[]): Promise<string> {
  const scratch = createScratch();
  const rows: string[][] = [];
  let former: Measured | undefined;
  try {
    for (const size of sizes) {
      const root = join(scratch.directory, String(size));
      const files = await write(root, size);
      const measured = await measure(root, runs);
      rows.push(row(files, measured, former));
      former = measured;
      await rm(root, { recursive: true });
    }
    if (flags.includes("--large")) {
      const root = join(scratch.directory, "large");
      const files = await write(root, largeSize);
      const measured = await measure(root, runsOfLarge);
      rows.push(row(files, measured, former));
      await addUnlinkedBlobs(join(root, "private"), manyBlobs - measured.blobs);
      say(`${manyBlobs} blobs: written`);
      rows.push(row(files, { ...(await scanOnce(root)), find: undefined }, undefined));
    }
  } finally {
    scratch.dispose();
  }
  const head = ["files", "blobs", "links", "find", "scan", "scan / find", "links/s", "memory", "of a tenth"];
  return `${table([head, ...rows])}\n  Stores ${scratch.description}.\n`;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function write(root: string, size: number): Promise<number> {
  const start = performance.now();
  const files = await writeSyntheticStore(join(root, "private"), size);
  say(`${files} files: written in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return files;
}

interface Scanned {
  /** Seconds. */
  readonly scan: number;
  readonly links: number;
  readonly blobs: number;
  /** Resident memory of the whole process at its highest. */
  readonly peakBytes: number;
}

interface Measured extends Scanned {
  /** Seconds. */
  readonly find: number | undefined;
}

/** The medians of the times, and the largest of the memories. */
async function measure(root: string, count: number): Promise<Measured> {
  const find: number[] = [];
  const scans: Scanned[] = [];
  for (let turn = 0; turn <= count; turn++) {
    const found = await run("find", [root, "-type", "f"]);
    const scanned = await scanOnce(root);
    // The first turn only warms the cache.
    if (turn === 0) continue;
    find.push(found.seconds);
    scans.push(scanned);
    say(`  turn ${turn} of ${count}: find ${found.seconds.toFixed(2)} s, scan ${scanned.scan.toFixed(2)} s`);
  }
  const last = scans.at(-1);
  if (!last) throw new RangeError("no turns");
  const peakBytes = Math.max(...scans.map((one) => one.peakBytes));
  return { ...last, find: median(find), scan: median(scans.map(({ scan }) => scan)), peakBytes };
}

async function scanOnce(root: string): Promise<Scanned> {
  const { output, seconds, peakBytes } = await run(nodeBinary, [
    join(projectRoot, builtBundle),
    "scan",
    root,
    "--json",
  ]);
  const { findings, registries } = JSON.parse(output) as ScanReport;
  if (findings.length > 0) throw new Error("a healthy store has findings");
  const links = registries.reduce((sum, one) => sum + one.layerLinks + one.manifests + one.tags, 0);
  return { scan: seconds, links, blobs: registries.reduce((sum, { blobs }) => sum + blobs, 0), peakBytes };
}

function row(files: number, measured: Measured, former: Measured | undefined): string[] {
  const { find, scan, links, blobs, peakBytes } = measured;
  return [
    String(files),
    String(blobs),
    String(links),
    find === undefined ? "" : `${find.toFixed(2)} s`,
    `${scan.toFixed(2)} s`,
    find === undefined ? "" : (scan / find).toFixed(2),
    (links / scan).toFixed(0),
    `${(peakBytes / 1e6).toFixed(0)} MB`,
    former === undefined ? "" : `${(scan / former.scan).toFixed(1)} x`,
  ];
}

async function run(command: string, args: readonly string[]) {
  // A list of a million paths is thrown away, a report is kept.
  const measured = await runProcess(command, args, { keepsOutput: command === nodeBinary });
  if (measured.exitCode !== 0) throw new Error(`${command} ended with ${measured.exitCode}`);
  return measured;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
