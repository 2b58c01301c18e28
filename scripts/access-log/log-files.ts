import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { describeError, systemCode } from "../cli/errors.ts";
import { type LogHead, parseHead, parseRequest } from "./parse-line.ts";
import { readFirstLine } from "./read-lines.ts";

/** One file of a log: the present one, or a former one. */
export interface LogFile {
  readonly path: string;
  /** By the file's head; undefined where it has none. */
  readonly head: LogHead | undefined;
  /** By its head, else by its first line; null for a file without any. Milliseconds since 1970. */
  readonly begins: number | null;
}

export interface UnreadableFile {
  readonly path: string;
  readonly reason: string;
}

/** The files of one log, in the order in which they were begun; those without a line come last. */
export interface LogFiles {
  readonly path: string;
  readonly files: readonly LogFile[];
  readonly unreadable: readonly UnreadableFile[];
}

/**
 * The present file at a path, and the former ones beside it, which have its name and more: access.log, access.log.1,
 * access.log-20261122T030000Z.gz. A file that cannot be read is reported, and none that is missing.
 */
export async function findLogFiles(path: string): Promise<LogFiles> {
  const files: LogFile[] = [];
  const unreadable: UnreadableFile[] = [];
  for (const one of await listFiles(path, unreadable))
    try {
      files.push(await readBeginning(one));
    } catch (error) {
      // One that was compressed meanwhile is there under its new name.
      if (systemCode(error) !== "ENOENT") unreadable.push({ path: one, reason: describeError(error) });
    }
  files.sort((a, b) => (a.begins ?? Number.POSITIVE_INFINITY) - (b.begins ?? Number.POSITIVE_INFINITY));
  return { path, files, unreadable };
}

async function listFiles(path: string, unreadable: UnreadableFile[]): Promise<readonly string[]> {
  const [directory, name] = [dirname(path), basename(path)];
  try {
    const names = await readdir(directory);
    const own = names.filter(
      (one) => one === name || one.startsWith(`${name}-`) || one.startsWith(`${name}.`),
    );
    return own.sort().map((one) => join(directory, one));
  } catch (error) {
    if (systemCode(error) !== "ENOENT") unreadable.push({ path: directory, reason: describeError(error) });
    return [];
  }
}

async function readBeginning(path: string): Promise<LogFile> {
  const line = await readFirstLine(path);
  if (line === undefined) return { path, head: undefined, begins: null };
  const head = parseHead(line);
  return { path, head, begins: head?.begins ?? parseRequest(line)?.time ?? null };
}
