import { readFileSync } from "node:fs";

/** A lock on a stack, as the engine's message names it. Source: pulumi pkg/backend/diy/lock.go. */
interface StackLock {
  readonly host: string;
  readonly processId: number;
}

/** `... created by USER@HOST (pid N) at TIME`. */
const holder = /created by \S+@(\S+) \(pid (\d+)\)/g;

function locksIn(message: string): StackLock[] {
  return [...message.matchAll(holder)].map(([, host = "", pid = ""]) => ({ host, processId: Number(pid) }));
}

/**
 * Whether a refusal because of a lock names none but processes of this machine that are gone: an update that was
 * killed. Anything else, another machine's lock above all, is left to a person (`pulumi cancel`).
 */
export function isStaleLock(
  message: string,
  thisHost: string,
  isRunning: (processId: number) => boolean,
): boolean {
  if (!message.includes("currently locked")) return false;
  const locks = locksIn(message);
  return locks.length > 0 && locks.every((lock) => lock.host === thisHost && !isRunning(lock.processId));
}

/** Whether a process of this machine still does anything. One that was killed and is not yet collected does not. */
export function isProcessRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return !isZombie(processId);
}

/** Source: proc(5), /proc/PID/stat; the name before the state may itself hold parentheses. */
function isZombie(processId: number): boolean {
  try {
    return /^.*\) [ZX] /s.test(readFileSync(`/proc/${processId}/stat`, "utf8"));
  } catch {
    // Gone meanwhile, or a system without /proc: then the signal has the last word.
    return false;
  }
}
