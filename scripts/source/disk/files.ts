import { constants, type Dirent } from "node:fs";
import { open, opendir, stat } from "node:fs/promises";
import { describeError, systemCode } from "../../errors.ts";
import type { BlobState, Unreadable } from "../source.ts";

/** The few ways in which a store is touched, none of which writes. Missing is an answer; any other fault is told. */

/** At most this many files of one list are open at a time. */
export const filesAtATime = 16;

export function unreadable(place: string, cause: unknown): Unreadable {
  return { state: "unreadable", place, reason: systemCode(cause) ?? describeError(cause) };
}

/** Entries of a directory, streamed; nothing when it is missing, one {@link Unreadable} when it cannot be listed. */
export async function* listDirectory(path: string): AsyncGenerator<Dirent | Unreadable> {
  try {
    const directory = await opendir(path, { bufferSize: 256 });
    for await (const entry of directory) yield entry;
  } catch (error) {
    if (systemCode(error) !== "ENOENT") yield unreadable(path, error);
  }
}

export function isUnreadable(listed: Dirent | Unreadable): listed is Unreadable {
  return "state" in listed;
}

/** Whether an entry is, or may lead to, a directory: the registry follows symbolic links too. */
export function mayBeDirectory(entry: Dirent): boolean {
  return entry.isDirectory() || entry.isSymbolicLink();
}

export type FileContent =
  | { readonly state: "read"; readonly content: Buffer }
  | { readonly state: "missing" }
  | Unreadable;

/** A whole file of up to `limitBytes`; a longer one is unreadable. */
export async function readWhole(path: string, limitBytes: number): Promise<FileContent> {
  try {
    // Without O_NONBLOCK a named pipe in the place of a file would hold the scan for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await readUpTo(file, path, limitBytes);
    } finally {
      await file.close();
    }
  } catch (error) {
    return systemCode(error) === "ENOENT" ? { state: "missing" } : unreadable(path, error);
  }
}

async function readUpTo(
  file: Awaited<ReturnType<typeof open>>,
  path: string,
  limitBytes: number,
): Promise<FileContent> {
  let buffer: Buffer = Buffer.allocUnsafe(Math.min(limitBytes + 1, 16 * 1024));
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    length += bytesRead;
    if (length > limitBytes) return unreadable(path, `longer than ${limitBytes} bytes`);
    if (bytesRead === 0) return { state: "read", content: buffer.subarray(0, length) };
    if (length === buffer.length) buffer = grow(buffer, limitBytes);
  }
}

function grow(buffer: Buffer, limitBytes: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.min(buffer.length * 4, limitBytes + 1));
  buffer.copy(larger);
  return larger;
}

/** Whether a regular file is there, and how long it is. */
export async function statFile(path: string): Promise<BlobState> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return unreadable(path, "not a regular file");
    return { state: "present", sizeBytes: found.size };
  } catch (error) {
    return systemCode(error) === "ENOENT" ? { state: "missing" } : unreadable(path, error);
  }
}
