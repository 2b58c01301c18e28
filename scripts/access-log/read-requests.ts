import { describeError, systemCode } from "../cli/errors.ts";
import { coverageOf, coverageOfAll, type LogCoverage } from "./coverage.ts";
import { findLogFiles, type LogFile, type LogFiles, type UnreadableFile } from "./log-files.ts";
import { type LoggedRequest, parseHead, parseRequest } from "./parse-line.ts";
import { readLines } from "./read-lines.ts";

/** nginx's workers write to the former file until they have reopened, for seconds. */
const overlapMs = 3600 * 1000;

/** What was read, beside the requests. */
export interface LogReading {
  readonly coverage: LogCoverage;
  readonly lines: number;
  /** Lines that are neither requests nor heads, such as one that a full disk has cut off. */
  readonly skippedLines: number;
}

/**
 * Calls `onRequest` at least once for every request of these logs from `since` on, file by file in the order in which they were begun.
 * Files that ended before are not read. Each path names a present file; former ones beside it are found.
 *
 * A clock that was set back does not hide what came after: once `since` is reached, every later line of the file counts.
 * Errors: none; what could not be read ends the time that is covered.
 */
export async function readRequests(
  paths: readonly string[],
  since: number,
  onRequest: (request: LoggedRequest) => void,
): Promise<LogReading> {
  const coverages: LogCoverage[] = [];
  const sum = { lines: 0, skippedLines: 0 };
  for (const path of paths) {
    const { found, read } = await readLog(path, since, onRequest);
    const unreadable = [...found.unreadable, ...read.unreadable];
    coverages.push(coverageOf({ ...found, unreadable }, read));
    sum.lines += read.lines;
    sum.skippedLines += read.skippedLines;
  }
  return { coverage: coverageOfAll(coverages), ...sum };
}

/** A rotation meanwhile gives files other names, so some may have been missed: all is read again then. */
async function readLog(path: string, since: number, onRequest: (request: LoggedRequest) => void) {
  for (let attempt = 1; ; attempt += 1) {
    const found = await findLogFiles(path);
    const read = await readFiles(filesSince(found.files, since), since, onRequest);
    const now = await findLogFiles(path);
    if (attempt === 3 || identityOf(found) === identityOf(now)) return { found, read };
  }
}

function identityOf({ files, unreadable }: LogFiles): string {
  const heads = files.map(({ path, head }) => [path, head?.begins]);
  return JSON.stringify([heads, unreadable.map(({ path }) => path)]);
}

/** A file is over when a later one was begun. */
function filesSince(files: LogFiles["files"], since: number): readonly LogFile[] {
  return files.filter((_, index) => {
    const following = files[index + 1]?.begins;
    return following === undefined || following === null || following + overlapMs >= since;
  });
}

async function readFiles(
  files: readonly LogFile[],
  since: number,
  onRequest: (request: LoggedRequest) => void,
) {
  const read = {
    lines: 0,
    skippedLines: 0,
    until: null as number | null,
    unreadable: [] as UnreadableFile[],
  };
  for (const { path } of files)
    try {
      const tally = createTally(since, onRequest);
      for await (const lines of readLines(path)) {
        for (const line of lines) tally.take(line);
        read.lines += lines.length;
      }
      read.skippedLines += tally.skipped();
      read.until = Math.max(read.until ?? 0, tally.until() ?? 0) || null;
    } catch (error) {
      const reason = systemCode(error) ?? describeError(error);
      read.unreadable.push({ path, reason });
    }
  return read;
}

/** Takes the lines of one file in their order. */
function createTally(since: number, onRequest: (request: LoggedRequest) => void) {
  let skipped = 0;
  let until: number | undefined;
  let isReached = false;
  const note = (time: number) => {
    until = Math.max(until ?? time, time);
  };
  return {
    skipped: () => skipped,
    until: () => until,
    take: (line: string) => {
      const request = parseRequest(line);
      if (!request) {
        const head = parseHead(line);
        if (head) note(head.begins);
        else skipped += 1;
        return;
      }
      note(request.time);
      isReached ||= request.time >= since;
      if (isReached) onRequest(request);
    },
  };
}
