import { basename } from "node:path";
import { accessLogSilenceLimitMs } from "../../contract/access-log.ts";
import type { LogFile, LogFiles } from "./log-files.ts";

/** For which time a log holds every request. Milliseconds since 1970. */
export interface LogCoverage {
  /** Null: for none. */
  readonly since: number | null;
  /** Time of its last line; null without any. */
  readonly until: number | null;
  /** Why it does not reach further back, as a sentence. */
  readonly reason: string;
  /** It reaches back to the first request that was ever logged: all that is missing is time. */
  readonly isBegin?: true;
}

/** What reading the files came to. */
export interface LinesRead {
  /** Latest time of any line. */
  readonly until: number | null;
  readonly lines: number;
  /** Lines that are neither requests nor heads. */
  readonly skippedLines: number;
}

/** More unparsable lines than this share of all, and the log is not what it should be. */
const skippedShareLimit = 0.01;
const skippedAlwaysAllowed = 10;

/**
 * Follows the heads from the present file back, from each to the file that it names.
 *
 * `unreadable`: paths that could not be read to their end.
 */
export function coverageOf(
  { path, files, unreadable }: LogFiles,
  { until, lines, skippedLines }: LinesRead,
): LogCoverage {
  if (skippedLines > skippedAlwaysAllowed && skippedLines > lines * skippedShareLimit)
    return {
      since: null,
      until,
      reason: `Of ${lines} lines of ${path}, ${skippedLines} are unparsable: it is not written in the form that is read here.`,
    };
  const byName = new Map(files.map((file) => [withoutGz(file.path), file]));
  const bad = new Set(unreadable.map((file) => withoutGz(file.path)));
  const from = (file: LogFile, reason: string): LogCoverage => ({ since: file.begins, until, reason });
  let current = byName.get(basename(path));
  if (!current || bad.has(basename(path)))
    return { since: null, until, reason: unreadable[0] ? cannotRead(unreadable[0]) : `${path} is missing.` };
  const seen = new Set<LogFile>();
  for (;;) {
    seen.add(current);
    const { head } = current;
    if (!head)
      return current.begins === null
        ? { since: null, until, reason: `${current.path} has no line.` }
        : from(current, `${current.path} has no head: what came before its first line is unknown.`);
    if (head.follows === null)
      return { ...from(current, `${current.path} is the first file of this log.`), isBegin: true };
    const before = byName.get(withoutGz(head.follows));
    const fault = unreadable.find((file) => withoutGz(file.path) === head.follows);
    if (fault) return from(current, cannotRead(fault));
    if (!before) return from(current, `${head.follows}, the file before ${current.path}, is missing.`);
    // Whatever wrote such heads: a circle ends the way back.
    if (seen.has(before) || before.begins === null) return from(current, `${before.path} has no line.`);
    current = before;
  }
}

/** The time that all of several logs cover. */
export function coverageOfAll(all: readonly LogCoverage[]): LogCoverage {
  const [first, ...others] = all;
  if (!first) return { since: null, until: null, reason: "No access log is given." };
  return others.reduce((one, other) => {
    const until = one.until === null || other.until === null ? null : Math.min(one.until, other.until);
    return { ...(reachesFurther(one, other) ? other : one), until };
  }, first);
}

function reachesFurther(one: LogCoverage, other: LogCoverage): boolean {
  return one.since !== null && (other.since === null || other.since > one.since);
}

/** Why a log does not hold every request from `since` to `now`, as a sentence; undefined when it does. */
export function coverageFault(
  { since: begins, until, reason }: LogCoverage,
  { since, now }: { readonly since: number; readonly now: number },
): string | undefined {
  if (begins === null || until === null) return `The access log cannot be used. ${reason}`;
  const needed = new Date(since).toISOString();
  if (begins > since)
    return `The access log holds every request since ${new Date(begins).toISOString()} only, and ${needed} is needed. ${reason}`;
  if (now - until > accessLogSilenceLimitMs)
    return `The access log ends at ${new Date(until).toISOString()}: nginx does not write it any more, or its rotation has stopped.`;
  return undefined;
}

/**
 * From when on a log will hold every request of so long a time, where all that it lacks is time; undefined where
 * something else is wrong.
 */
export function coveredFrom(
  coverage: LogCoverage,
  { lengthMs, now }: { readonly lengthMs: number; readonly now: number },
): number | undefined {
  const { since, isBegin } = coverage;
  if (since === null || !isBegin || coverageFault(coverage, { since, now }) !== undefined) return undefined;
  return since + lengthMs > now ? since + lengthMs : undefined;
}

function cannotRead({ path, reason }: { readonly path: string; readonly reason: string }): string {
  return `${path} could not be read: ${reason}.`;
}

function withoutGz(path: string): string {
  return basename(path).replace(/\.gz$/, "");
}
