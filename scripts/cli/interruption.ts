/** Whether the work is to end soon. */
export interface Interruption {
  /** The signal that came; undefined: go on. */
  readonly signal: () => string | undefined;
  readonly dispose: () => void;
}

/**
 * Listens for Ctrl-C and for the signal that stops a container. The step that is being made is made to its end, so that the
 * locks are given back and the journal is closed; the second signal of a kind ends the process at once.
 */
export function watchInterruption(): Interruption {
  let came: string | undefined;
  const listener = (signal: NodeJS.Signals) => {
    came = signal;
  };
  process.once("SIGINT", listener).once("SIGTERM", listener);
  return {
    signal: () => came,
    dispose: () => void process.off("SIGINT", listener).off("SIGTERM", listener),
  };
}
