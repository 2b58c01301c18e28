import { type FileHandle, open, stat } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as delay } from "node:timers/promises";
import { systemCode } from "../cli/errors.ts";
import { type LoggedRequest, parseRequest } from "./parse-line.ts";

interface FollowOptions {
  /** Ends the following. */
  readonly signal: AbortSignal;
  /** Also what the present file holds already; default: only what is written from now on. */
  readonly fromStart?: boolean;
  readonly everyMs?: number;
}

/**
 * Requests as nginx writes them, across rotations: the former file is read on while nginx still writes to it. Waits for a
 * file that is missing. Lines that are no requests are passed over.
 *
 * Errors: those of the file system, but for a missing file.
 */
export async function* followAccessLog(
  path: string,
  { signal, fromStart = false, everyMs = 250 }: FollowOptions,
): AsyncGenerator<LoggedRequest> {
  const log = await tailAccessLog(path, fromStart ? "start" : "end");
  try {
    while (!signal.aborted) {
      yield* log.read();
      await delay(everyMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    await log.close();
  }
}

/** A log that is read on whenever the caller wants. */
export interface LogTail {
  /** What was written since the last call. Errors: those of the file system, but for a missing file. */
  readonly read: () => AsyncGenerator<LoggedRequest>;
  readonly close: () => Promise<void>;
}

/** The log at a path, from its beginning or from its present end on, across rotations. Errors: as of `read`. */
export async function tailAccessLog(path: string, from: "start" | "end"): Promise<LogTail> {
  let current = await openTail(path, from);
  let former: Tail | undefined;
  return {
    read: async function* () {
      if (!(await isStill(path, current))) {
        await former?.close();
        former = current;
        current = await openTail(path, "start");
      }
      // In this order, because what stands in the former file happened before.
      for (const tail of [former, current])
        for await (const line of tail?.read() ?? []) {
          const request = parseRequest(line);
          if (request) yield request;
        }
    },
    close: async () => {
      await former?.close();
      await current?.close();
    },
  };
}

interface Tail {
  readonly inode: number;
  /** Complete lines that came since the last call. */
  readonly read: () => AsyncGenerator<string>;
  readonly close: () => Promise<void>;
}

async function openTail(path: string, from: "start" | "end"): Promise<Tail | undefined> {
  const file = await open(path, "r").catch((error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw error;
    return undefined;
  });
  if (!file) return undefined;
  const { ino: inode, size } = await file.stat();
  return { inode, read: createReader(file, from === "end" ? size : 0), close: () => file.close() };
}

function createReader(file: FileHandle, start: number): Tail["read"] {
  const buffer = Buffer.allocUnsafe(256 * 1024);
  const decoder = new StringDecoder("utf8");
  let position = start;
  let begun = "";
  return async function* () {
    const { size } = await file.stat();
    // A rotation that copies the file and empties it.
    if (size < position) position = 0;
    while (position < size) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      const parts = (begun + decoder.write(buffer.subarray(0, bytesRead))).split("\n");
      begun = parts.pop() ?? "";
      yield* parts;
    }
  };
}

/** Whether the name leads to the same file as before, or to none as before. */
async function isStill(path: string, current: Tail | undefined): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw error;
    return undefined;
  });
  // Between two names of a rotation the file is missing for a moment.
  return found === undefined || found.ino === current?.inode;
}
