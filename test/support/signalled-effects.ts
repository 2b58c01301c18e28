import { createEffects, type Effects } from "../../scripts/store-change/effects.ts";

/** Effects on a file system of which the one of a given number, counted from 1, is preceded by a signal to the program. */
export function signalledEffects(signal: string | undefined, limit: string | undefined): Effects {
  let count = 0;
  return createEffects(() => {
    count += 1;
    if (count !== Number(limit)) return;
    process.kill(process.pid, signal);
    // The kernel may take a moment to kill, in which nothing more may happen.
    while (signal === "SIGKILL");
  });
}
