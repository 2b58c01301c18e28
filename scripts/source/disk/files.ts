import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from "node:fs";
import { describeError, systemCode } from "../../cli/errors.ts";
import type { BlobState, Invalid, Unreadable } from "../source.ts";

/**
 * The few ways in which a store is read; none of them writes. Missing is an answer, any other fault a fact.
 *
 * All of them block: a store is hundreds of thousands of tiny files, and handing each to Node's thread pool takes
 * several times as long as the system calls themselves.
 */

export function unreadable(location: string, cause: unknown): Unreadable {
  return { state: "unreadable", location, reason: systemCode(cause) ?? describeError(cause) };
}

/** Names in a directory, unsorted; none when it is missing. */
export function listNames(path: string): readonly string[] | Unreadable {
  try {
    return readdirSync(path);
  } catch (error) {
    return systemCode(error) === "ENOENT" ? [] : unreadable(path, error);
  }
}

/** Entries of a directory, where it matters what they are; none when it is missing. */
export function listEntries(path: string): readonly Dirent[] | Unreadable {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    return systemCode(error) === "ENOENT" ? [] : unreadable(path, error);
  }
}

export function isUnreadable(listed: readonly unknown[] | Unreadable): listed is Unreadable {
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

// Without O_NONBLOCK a named pipe in the place of a file would hold the scan for ever.
const readFlags = constants.O_RDONLY | constants.O_NONBLOCK;

/** Missing also where a file stands in the place of a directory above it. */
function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/** A whole file of up to `limitBytes`; a longer one, whatever its length, is unreadable and costs no memory. */
export function readWhole(path: string, limitBytes: number): FileContent {
  let file: number | undefined;
  try {
    file = openSync(path, readFlags);
    const found = fstatSync(file);
    if (!found.isFile()) return unreadable(path, "not a regular file");
    if (found.size > limitBytes)
      return { ...unreadable(path, `longer than ${limitBytes} bytes`), isUnparsable: true };
    // One byte more than there should be, so that the end of the file is seen and not assumed.
    const buffer = Buffer.allocUnsafe(found.size + 1);
    let length = 0;
    for (;;) {
      const bytes = readSync(file, buffer, length, buffer.length - length, null);
      length += bytes;
      // A regular file gives less than was asked for only at its end.
      if (bytes === 0 || length === found.size) return { state: "read", content: buffer.subarray(0, length) };
      if (length === buffer.length) return unreadable(path, "grew while it was read");
    }
  } catch (error) {
    return isMissing(error) ? { state: "missing" } : unreadable(path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Longest text that {@link readShort} hands out; longer files come cut off right behind it. */
export const shortLimitBytes = 1024;

const shortBuffer = Buffer.allocUnsafe(shortLimitBytes + 1);

/**
 * The first bytes of a file as Latin-1 text, in three system calls: what a link takes that should hold 71 bytes.
 * Undefined when it is missing. `onTime` is called with the time of the last write, at the price of a fourth call.
 */
export function readShort(
  path: string,
  onTime?: (modifiedAt: number) => void,
): string | undefined | Unreadable {
  let file: number | undefined;
  try {
    file = openSync(path, readFlags);
    const length = readSync(file, shortBuffer, 0, shortBuffer.length, null);
    onTime?.(fstatSync(file).mtimeMs);
    return shortBuffer.toString("latin1", 0, length);
  } catch (error) {
    return isMissing(error) ? undefined : unreadable(path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Whether a regular file is there, and how long it is. */
export function statFile(path: string): Exclude<BlobState, Invalid> {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return { state: "missing" };
    if (!found.isFile()) return unreadable(path, "not a regular file");
    return { state: "present", sizeBytes: found.size, modifiedAt: found.mtimeMs };
  } catch (error) {
    return isMissing(error) ? { state: "missing" } : unreadable(path, error);
  }
}

/**
 * When a file, or the directory that it lies in, was written last, in milliseconds since 1970: an upload that took long
 * leaves a file that is older than its place in the store. Undefined when the directory is missing; a file that cannot be
 * read counts as written now.
 */
export function lastWrite(directory: string, name: string): number | undefined {
  try {
    const above = statSync(directory, { throwIfNoEntry: false });
    if (!above) return undefined;
    return Math.max(above.mtimeMs, statSync(`${directory}/${name}`, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  } catch (error) {
    return isMissing(error) ? undefined : Number.POSITIVE_INFINITY;
  }
}

/**
 * Whether a file was written, or names in a directory changed, since some time in milliseconds since 1970. One that is
 * missing was not; one that cannot be read counts as written.
 */
export function writtenSince(path: string, since: number): boolean {
  return isWritten(path, (at) => at >= since);
}

/** The same, but not at that very time: after it was read, at which it had that time. */
export function writtenAfter(path: string, seen: number): boolean {
  return isWritten(path, (at) => at > seen);
}

function isWritten(path: string, is: (modifiedAt: number) => boolean): boolean {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found !== undefined && is(found.mtimeMs);
  } catch (error) {
    return !isMissing(error);
  }
}
