import { freemem } from "node:os";
import { ProgramError } from "../cli/errors.ts";

/**
 * What a scan takes at its peak, in bytes, all threads together.
 *
 * Source: measured by `npm run bench -- scan --large`: 77 MB for the smallest store, 255 MB for 2.2 million blobs on two
 * threads.
 */
const programBytes = 80e6;
const threadBytes = 40e6;
const bytesOfBlob = 46;

/** More than a thread was ever seen to need, and small enough that V8 collects its garbage often. */
const largestHeapBytes = 1024e6;

/** What is known before a store is read. */
export interface MemoryNeed {
  readonly registry: string;
  /** An estimate. */
  readonly blobs: number;
  /** Besides the main one. */
  readonly threads: number;
}

/** Bytes that this process may use: the limit of its container or unit, or what the machine has left. */
export function memoryLimit(): number {
  const ofContainer = process.constrainedMemory();
  return Math.min(ofContainer > 0 ? ofContainer : Infinity, process.memoryUsage.rss() + freemem());
}

/** Errors: E_OUT_OF_MEMORY before the kernel would end the process without a word. */
export function requireMemory({ registry, blobs, threads }: MemoryNeed, limitBytes: number): void {
  const needed = programBytes + threads * threadBytes + blobs * bytesOfBlob;
  if (needed <= limitBytes) return;
  const needs = `${inMegabytes(needed)} MB for its ${blobs.toLocaleString("en")} blobs`;
  throw new ProgramError(
    "E_OUT_OF_MEMORY",
    `The scan of the registry ${registry} needs about ${needs}, and may use ${inMegabytes(limitBytes)} MB. ` +
      `Give its container or unit that much (docker run --memory ${inMegabytes(needed)}m), then scan again.`,
  );
}

/** Bytes of objects that each of several threads may hold, so that all of them fit beside the table of the blobs. */
export function heapOfThread({ blobs, threads }: MemoryNeed, limitBytes: number): number {
  return Math.min(largestHeapBytes, (limitBytes - blobs * bytesOfBlob) / (threads + 1));
}

/** What a thread that used up its heap ends the scan with. */
export function threadOutOfMemory(cause: unknown): ProgramError {
  return new ProgramError(
    "E_OUT_OF_MEMORY",
    "A thread of the scan ran out of memory: one repository has more links than its share of the memory can hold. " +
      "Give the scan's container or unit more (docker run --memory), then scan again.",
    { cause },
  );
}

function inMegabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6);
}
