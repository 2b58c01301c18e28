import { rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { hasEnded, readRunNote } from "./run-notes.ts";

/** A lock on a stack, as the CLI's message names it. Source: pulumi pkg/backend/diy/lock.go. */
export interface StackLock {
  /** Path below the backend's directory. */
  readonly file: string;
  readonly user: string;
  readonly host: string;
  readonly processId: number;
  readonly takenAt: Date;
}

/** Whether the CLI refused because of another run's lock: a backend of files, or Pulumi Cloud. */
export function isLocked(message: string): boolean {
  return /the stack is currently locked by|Another update is currently in progress/.test(message);
}

/** `URL/.pulumi/locks/...: created by USER@HOST (pid N) at TIME`. */
const line = /(\.pulumi\/locks\/[^\s?]+\.json)\S*: created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)/g;

/** The locks that a refusal names, each once; none where the backend gives no holder. */
export function locksIn(message: string): StackLock[] {
  const locks = [...message.matchAll(line)].map(
    ([, file = "", user = "", host = "", pid = "", time = ""]) => ({
      file,
      user,
      host,
      processId: Number(pid),
      takenAt: new Date(time),
    }),
  );
  return [...new Map(locks.map((lock) => [lock.file, lock])).values()];
}

/** From its start, a CLI takes its lock within seconds; a lock that is older or much younger than the note is another's. */
const noteToLockMilliseconds = 10 * 60_000;
const clockPrecisionMilliseconds = 2_000;

/**
 * Whether a lock is certainly left over: this host's name, a process that noted itself in this boot and namespace
 * shortly before, and that is gone. Anything else may be a run that goes on elsewhere.
 */
export function isLeftOver({ host, processId, takenAt }: StackLock, runsDirectory: string): boolean {
  const note = host === hostname() ? readRunNote(runsDirectory, processId) : undefined;
  if (note === undefined) return false;
  const milliseconds = takenAt.getTime() - note.writtenAt.getTime();
  const isItsLock = milliseconds >= -clockPrecisionMilliseconds && milliseconds <= noteToLockMilliseconds;
  return isItsLock && hasEnded(note, processId);
}

/** Takes one lock away, with the note on its content type. `pulumi cancel` would take all, one of this moment included. */
export function removeLock(backendDirectory: string, { file }: StackLock): void {
  const path = join(backendDirectory, file);
  for (const each of [path, `${path}.attrs`]) rmSync(each, { force: true });
}

/** A lock as messages name it. */
export function describeLock({ user, host, processId, takenAt }: StackLock, now: Date): string {
  return `${user}@${host} (process ${processId}), for ${ageText(now.getTime() - takenAt.getTime())}`;
}

function ageText(milliseconds: number): string {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  if (minutes < 1) return "less than a minute";
  if (minutes < 120) return minutes === 1 ? "1 minute" : `${minutes} minutes`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.floor(hours / 24)} days`;
}
