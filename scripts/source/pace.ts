import { setTimeout as sleep } from "node:timers/promises";
import type { Pace } from "./source.ts";

/** Shorter waits are saved up: a timer costs more than they do. */
const shortestWaitMilliseconds = 5;

interface Clock {
  /** Milliseconds, from any start. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** Keeps reading to a number of bytes a second, counted from the first piece. */
export function createPace(bytesPerSecond: number, { now, sleep }: Clock): Pace {
  let startedAt: number | undefined;
  let total = 0;
  return async (bytes) => {
    startedAt ??= now();
    total += bytes;
    const ahead = (total / bytesPerSecond) * 1000 - (now() - startedAt);
    if (ahead >= shortestWaitMilliseconds) await sleep(ahead);
  };
}

/** The pace of `--bandwidth-limit`, bytes a second; undefined: no limit. */
export function paceOf(bandwidthLimit: number | undefined): Pace {
  const clock = { now: () => performance.now(), sleep: (milliseconds: number) => sleep(milliseconds) };
  return bandwidthLimit === undefined ? unlimitedPace : createPace(bandwidthLimit, clock);
}

/** As fast as the disk is. */
export const unlimitedPace: Pace = async () => {};
