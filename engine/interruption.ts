import { setTimeout as delay } from "node:timers/promises";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A terminal and `timeout` signal the whole group of processes, so the CLI may have its signal already. */
const graceMilliseconds = 500;

/** What the CLI prints when a signal has reached it. Source: pulumi pkg/backend/cancellation_scope.go. */
const acknowledgement = /received; (?:cancelling|terminating)/;

/**
 * A signal to this process, handed on to the CLI: it then finishes the steps that have begun, saves the state and gives
 * its lock back. The CLI gets one signal only, since a second one makes it end at once, whatever it is doing.
 */
export class Interruption {
  readonly #requested = new AbortController();
  readonly #cli = new AbortController();
  #received: string | undefined;
  #isAcknowledged = false;

  constructor() {
    for (const signal of signals) process.on(signal, (name) => this.#receive(name));
  }

  /** Name of the signal, once there was one. */
  get received(): string | undefined {
    return this.#received;
  }

  /** Aborts at once: for waits. */
  get requested(): AbortSignal {
    return this.#requested.signal;
  }

  /** Aborts when the CLI is to be signalled. */
  get cli(): AbortSignal {
    return this.#cli.signal;
  }

  /** Takes what the CLI prints. */
  noteOutput(text: string): void {
    this.#isAcknowledged ||= acknowledgement.test(text);
  }

  #receive(name: string): void {
    if (this.#received !== undefined) return;
    this.#received = name;
    this.#requested.abort();
    void delay(graceMilliseconds).then(() => {
      if (!this.#isAcknowledged) this.#cli.abort();
    });
  }
}
