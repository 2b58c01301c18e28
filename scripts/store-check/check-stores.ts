import type { RegistryMode } from "../../contract/finding.ts";
import { ProgramError } from "../cli/errors.ts";
import { createProgressLine } from "../cli/progress.ts";
import type { Terminal } from "../cli/terminal.ts";
import { estimateBlobs } from "../source/disk/blob.ts";
import type { DiskSource } from "../source/disk/registry.ts";
import { paceOf } from "../source/pace.ts";
import type { Choice } from "./choose-registries.ts";
import { heapOfThread, memoryLimit, requireMemory } from "./memory.ts";
import { type Progress, type RegistryResult, type ScanOptions, scanRegistry } from "./scan-registry.ts";
import { usefulThreads } from "./threads.ts";
import { startWorkerPool, type WorkerPool } from "./worker-pool.ts";

/** From this many blobs on, threads take less time than their start. */
const blobsOfLargeStore = 10_000;

/** What commands that check stores are asked. */
export interface CheckRequest {
  /** Empty: all. */
  readonly repositories: readonly string[];
  /** Which blobs are read and compared with their digests; manifests always are. */
  readonly verify: "manifests" | "configs" | "layers";
  /** Bytes a second that the comparison may read; undefined: no limit. */
  readonly bandwidthLimit: number | undefined;
}

/** Scans the registries one after the other. */
export async function scanAll(
  { sources, modeOf }: Pick<Choice, "sources" | "modeOf">,
  options: ScanOptions,
  terminal: Terminal,
): Promise<readonly RegistryResult[]> {
  const progress = createProgressLine(terminal, () => performance.now(), describeProgress);
  const results: RegistryResult[] = [];
  for (const source of sources) {
    const mode = modeOf(source.name);
    const pool = startPool(source, mode, options);
    try {
      results.push(await scanRegistry(source, mode, progress.update, { ...options, pool }));
    } finally {
      await pool?.stop();
    }
  }
  progress.clear();
  return results;
}

/** Threads for a large store, as long as there is memory for it. Errors: E_OUT_OF_MEMORY. */
function startPool(source: DiskSource, mode: RegistryMode, options: ScanOptions): WorkerPool | undefined {
  const blobs = estimateBlobs(source.dataDirectory);
  const isSplittable = !options.verification && !options.repositories;
  const threads = isSplittable && blobs >= blobsOfLargeStore ? usefulThreads() : 0;
  const need = { registry: source.name, blobs, threads };
  const limit = memoryLimit();
  requireMemory(need, limit);
  if (threads === 0) return undefined;
  return startWorkerPool(source, mode, { threads, heapBytes: heapOfThread(need, limit) });
}

/** The options of {@link scanRegistry}. */
export function scanOptions({ repositories, verify, bandwidthLimit }: CheckRequest): ScanOptions {
  const pace = paceOf(bandwidthLimit);
  const roles = new Set(verify === "layers" ? (["config", "layer"] as const) : (["config"] as const));
  return {
    repositories: repositories.length > 0 ? new Set(repositories) : undefined,
    verification: verify === "manifests" ? undefined : { roles, pace },
  };
}

/** A repository that is nowhere was not checked, which must not pass for clean. */
export function requireRepositories(asked: readonly string[], results: readonly RegistryResult[]): void {
  const checked = new Set(results.flatMap(({ repositories }) => repositories));
  const unknown = asked.filter((name) => !checked.has(name));
  if (unknown.length === 0) return;
  throw new ProgramError(
    "E_STORE_NOT_FOUND",
    `--repository ${unknown.join(", ")}: no such repository in ${results.map(({ summary }) => summary.name).join(", ")}.`,
  );
}

function describeProgress({ name, blobs, repositories, tags, layerLinks }: Progress): string {
  return `${name}: ${blobs} blobs, ${repositories} repositories, ${tags} tags, ${layerLinks} layer links`;
}
