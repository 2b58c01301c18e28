/** A lock on a stack, as the engine's message tells it. Source: pulumi pkg/backend/diy/lock.go. */
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
 * killed. Anything else, another machine's lock above all, is left for a person to judge (`pulumi cancel`).
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

export function isProcessRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
