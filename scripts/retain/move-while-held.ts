import type { ProgramError } from "../cli/errors.ts";
import type { Interruption } from "../cli/interruption.ts";
import type { Terminal } from "../cli/terminal.ts";
import { beginHold, isFreezeFault } from "../write-freeze/begin-hold.ts";
import type { WriteFreeze } from "../write-freeze/write-freeze.ts";

/** All of a batch are in the journal before the first is moved. */
const batchSize = 250;

/** What of a freeze's budget is kept: more than a batch takes. */
const reserveMs = 500;

interface Circumstances {
  /** Null: writes are not held. */
  readonly hold: WriteFreeze | null;
  readonly terminal: Terminal;
  readonly interruption: Pick<Interruption, "signal">;
}

interface Ended {
  /** Of the longest freeze; null without one. */
  readonly freezeSeconds: number | null;
  /** Why writes could not be held for the rest. */
  readonly fault: ProgramError | undefined;
}

/**
 * Gives `move` one batch after the other, while writes are held; clients that wait are let through between two freezes. A
 * signal ends it between two batches.
 *
 * Errors: those of `move`. Writes go on then.
 */
export async function moveWhileHeld<T>(
  all: readonly T[],
  { hold, terminal, interruption }: Circumstances,
  move: (batch: readonly T[]) => Promise<void>,
): Promise<Ended> {
  let freezeSeconds: number | null = null;
  let fault: unknown;
  let done = 0;
  const isOver = () => done >= all.length || interruption.signal() !== undefined;
  while (!isOver() && fault === undefined) {
    fault = (await beginHold({ hold, terminal, interruption })).fault;
    if (fault !== undefined) break;
    try {
      do {
        await hold?.verify();
        await move(all.slice(done, done + batchSize));
        done += batchSize;
      } while (!isOver() && (hold === null || hold.left().budgetMs > reserveMs));
    } catch (error) {
      fault = error;
    }
    // Whatever went wrong: clients wait.
    if (hold) freezeSeconds = Math.max(freezeSeconds ?? 0, await hold.end());
  }
  if (fault === undefined || isFreezeFault(fault)) return { freezeSeconds, fault };
  throw fault;
}
