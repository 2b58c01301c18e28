import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../provider/errors.ts";
import { describeLock, isLeftOver, isLocked, locksIn, removeLock, type StackLock } from "./stack-lock.ts";

/** Two runs that met each other must not meet again at the next try: the backend's check of a lock is not atomic. */
const pauseMilliseconds = { least: 1000, most: 4000 };
const progressMilliseconds = 60_000;

export interface LockOptions {
  /** What waits, as in `up of stack prod`. */
  readonly run: string;
  /** Directory of a file backend; undefined for any other: there no lock is ever taken away. */
  readonly backendDirectory: string | undefined;
  readonly runsDirectory: string;
  readonly waitMilliseconds: number;
  /** What a person types to clear the locks of runs that are dead. */
  readonly clearCommand: string;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** The stack stayed locked. The text says by whose run and how to clear it. */
export class StackLockedError extends Error {
  override readonly name = "StackLockedError";
}

/**
 * Runs an operation that takes the stack's lock: again while another run has it, up to the limit. A lock that is
 * certainly left over is taken away.
 *
 * Errors: StackLockedError after the wait; what the operation throws.
 */
export async function whenUnlocked<T>(operation: () => Promise<T>, options: LockOptions): Promise<T> {
  const start = Date.now();
  let saidAt: number | undefined;
  for (;;) {
    try {
      return await operation();
    } catch (error) {
      const message = messageOf(error);
      if (!isLocked(message) || options.signal.aborted) throw error;
      const locks = locksIn(message);
      if (takeAway(locks, options)) continue;
      const waited = Date.now() - start;
      if (waited >= options.waitMilliseconds) throw refusal(locks, options);
      if (saidAt === undefined || Date.now() - saidAt >= progressMilliseconds) {
        saidAt = Date.now();
        options.say(
          `${options.run} waits for ${holders(locks)} ${limitText(options.waitMilliseconds - waited)}\n`,
        );
      }
      await pause(options);
    }
  }
}

/** Returns whether a lock was taken away. */
function takeAway(locks: readonly StackLock[], options: LockOptions): boolean {
  const { backendDirectory, runsDirectory } = options;
  if (backendDirectory === undefined) return false;
  const leftOver = locks.filter((lock) => isLeftOver(lock, runsDirectory));
  for (const lock of leftOver) {
    options.say(
      `An earlier run here was killed and left its lock: removing that of process ${lock.processId}.\n`,
    );
    removeLock(backendDirectory, lock);
  }
  return leftOver.length > 0;
}

function holders(locks: readonly StackLock[]): string {
  if (locks.length === 0) return "another run, which the backend does not name,";
  return `the lock of ${locks.map((lock) => describeLock(lock, new Date())).join("; and of ")},`;
}

function limitText(milliseconds: number): string {
  return `at most ${Math.max(1, Math.ceil(milliseconds / 60_000))} more minutes (--lock-wait).`;
}

function refusal(locks: readonly StackLock[], { run, clearCommand }: LockOptions): StackLockedError {
  return new StackLockedError(
    `${run}: nothing was changed. It is locked by ${holders(locks)
      .replace(/^the lock of /, "")
      .replace(/,$/, "")}.\n` +
      "If that run still goes on, wait for its end. If it is dead (its machine, container or CI job is gone), type\n" +
      `  ${clearCommand}\nand run this again.`,
  );
}

async function pause({ signal }: LockOptions): Promise<void> {
  const { least, most } = pauseMilliseconds;
  await delay(least + Math.random() * (most - least), undefined, { signal });
}
