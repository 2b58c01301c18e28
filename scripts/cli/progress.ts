import type { Terminal } from "./terminal.ts";

const redrawEveryMilliseconds = 200;

/** One line on standard error that follows the work; nothing unless a person watches. */
export interface ProgressLine<T> {
  readonly update: (progress: T) => void;
  readonly clear: () => void;
}

export function createProgressLine<T>(
  terminal: Terminal,
  now: () => number,
  describe: (progress: T) => string,
): ProgressLine<T> {
  if (!terminal.isInteractive) return { update: () => {}, clear: () => {} };
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    update: (progress) => {
      if (now() - drawnAt < redrawEveryMilliseconds) return;
      drawnAt = now();
      terminal.err(`\r\u001b[K${describe(progress)}`);
    },
    clear: () => terminal.err("\r\u001b[K"),
  };
}
