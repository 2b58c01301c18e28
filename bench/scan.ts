import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ScanReport } from "../contract/scan-report.ts";
import { nodeBinary, projectRoot } from "../lab/machine/paths.ts";
import { table } from "../lab/machine/screen.ts";
import { writeSyntheticStore } from "./synthetic-store.ts";

const sizes = [1_200, 12_000, 120_000];
const largeSize = 1_200_000;
const runs = 5;

/**
 * The scan of healthy stores, each ten times the one before, against `find -type f` of the same tree, in turns, in one
 * run on one machine, from a warm cache. `--large` adds one of 1.2 million files.
 */
export async function benchScan(flags: readonly string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "regwarden-bench-"));
  const rows: string[][] = [];
  let former: number | undefined;
  try {
    for (const size of flags.includes("--large") ? [...sizes, largeSize] : sizes) {
      const root = join(directory, String(size));
      const files = writeSyntheticStore(join(root, "private"), size);
      const measured = await measure(root);
      rows.push(row(files, measured, former));
      former = measured.scan;
      await rm(root, { recursive: true });
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  const head = ["files", "links", "find", "scan", "scan / find", "links/s", "peak memory", "of a tenth"];
  return `${table([head, ...rows])}\n`;
}

interface Measured {
  /** Seconds, the median of the runs. */
  readonly find: number;
  readonly scan: number;
  readonly links: number;
  readonly peakBytes: number;
}

async function measure(root: string): Promise<Measured> {
  const program = join(projectRoot, "dist/regwarden.mjs");
  const find: number[] = [];
  const scan: number[] = [];
  let peakBytes = 0;
  let report = "";
  for (let turn = 0; turn <= runs; turn++) {
    const found = await run("find", [root, "-type", "f"]);
    const scanned = await run(nodeBinary, [program, "scan", root, "--json"]);
    // The first turn only warms the cache.
    if (turn > 0) find.push(found.seconds);
    if (turn > 0) scan.push(scanned.seconds);
    peakBytes = Math.max(peakBytes, scanned.peakBytes);
    report = scanned.output;
  }
  const { findings, registries } = JSON.parse(report) as ScanReport;
  if (findings.length > 0) throw new Error("a healthy store has findings");
  const links = registries.reduce((sum, one) => sum + one.layerLinks + one.manifests + one.tags, 0);
  return { find: median(find), scan: median(scan), links, peakBytes };
}

function row(
  files: number,
  { find, scan, links, peakBytes }: Measured,
  former: number | undefined,
): string[] {
  return [
    String(files),
    String(links),
    `${find.toFixed(2)} s`,
    `${scan.toFixed(2)} s`,
    (scan / find).toFixed(2),
    (links / scan).toFixed(0),
    `${(peakBytes / 1024 ** 2).toFixed(0)} MiB`,
    former === undefined ? "" : `${(scan / former).toFixed(1)} x`,
  ];
}

async function run(command: string, args: readonly string[]) {
  const start = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const chunks: Buffer[] = [];
  // A list of a million paths is thrown away, a report is kept.
  const isKept = command === nodeBinary;
  child.stdout.on("data", (chunk: Buffer) => isKept && chunks.push(chunk));
  let peakBytes = 0;
  const sampler = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
    peakBytes = Math.max(peakBytes, Number(kibibytes ?? 0) * 1024);
  }, 20);
  const [code] = await once(child, "close");
  clearInterval(sampler);
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
  return { seconds: (performance.now() - start) / 1000, peakBytes, output: Buffer.concat(chunks).toString() };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
