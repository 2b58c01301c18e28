import { describeError, ProgramError } from "../cli/errors.ts";
import type { Interruption } from "../cli/interruption.ts";
import type { Terminal } from "../cli/terminal.ts";
import type { WriteFreeze } from "./write-freeze.ts";

interface Circumstances {
  /** Null: writes are not to be held. */
  readonly hold: WriteFreeze | null;
  readonly terminal: Terminal;
  readonly interruption: Pick<Interruption, "signal">;
}

export interface Begun {
  /** Null: none was needed. */
  readonly tries: number | null;
  /** Why writes are not held. */
  readonly fault?: unknown;
}

/** The next run may be a week later; a client that sends slowly is done in minutes. */
const triesAtMost = 5;

/** As long as the upload of a large layer in one request takes: 2 GB at 300 Mbit/s. Clients are not held meanwhile. */
const pauseMs = 60_000;

/**
 * Holds writes. Where something that a client sends for long keeps that from beginning, its end is waited for, and it is tried
 * again. Errors: none.
 */
export async function beginHold({ hold, terminal, interruption }: Circumstances): Promise<Begun> {
  if (hold === null) return { tries: null };
  const isStopped = () => interruption.signal() !== undefined;
  for (let tries = 1; ; tries += 1)
    try {
      await hold.begin();
      return { tries };
    } catch (fault) {
      const isBusy = fault instanceof ProgramError && fault.code === "E_FREEZE_BUSY";
      if (!isBusy || tries === triesAtMost || isStopped()) return { tries, fault };
      terminal.err(
        `Try ${tries} of ${triesAtMost} to hold writes: ${describeError(fault)}. Waiting for them to end.\n`,
      );
      await hold.whenClear(pauseMs, isStopped);
    }
}

/** Whether it says that writes could not be held, or are not held any more. */
export function isFreezeFault(error: unknown): error is ProgramError {
  return error instanceof ProgramError && (error.code === "E_FREEZE" || error.code === "E_FREEZE_BUSY");
}
