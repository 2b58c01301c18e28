import * as pulumi from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";

type Listener = NodeJS.UnhandledRejectionListener;

/** Of the run before this one. */
let ofLastRun: Listener | undefined;

/**
 * The program, with the fault that ends it reported once. What a program throws is reported by the engine, as the end of
 * the run, and beside it by the SDK, as a promise that nobody waited for: that second report is left out. The fault is
 * thrown all the same, since a program that returns has declared all that there is, and the engine deletes the rest.
 *
 * Source: pulumi sdk/nodejs/automation/server.ts, `run` and `newUncaughtHandler`.
 */
export function faultOnce(program: PulumiFn): PulumiFn {
  return async () => {
    if (ofLastRun !== undefined) process.off("unhandledRejection", ofLastRun);
    ofLastRun = undefined;
    try {
      return await program();
    } catch (error) {
      if (pulumi.RunError.isInstance(error)) ofLastRun = passOverOnly(error);
      throw error;
    }
  };
}

/** All other promises that fail unheard are reported as before. */
function passOverOnly(fault: unknown): Listener {
  const reporters = process.listeners("unhandledRejection");
  for (const reporter of reporters) process.off("unhandledRejection", reporter);
  const listener: Listener = (reason, promise) => {
    if (reason === fault) return;
    for (const report of reporters) report(reason, promise);
  };
  process.on("unhandledRejection", listener);
  return listener;
}
