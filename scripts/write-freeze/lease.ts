import { rename, rm, writeFile } from "node:fs/promises";
import { type FreezeLease, freezeLimits } from "../../contract/write-freeze.ts";
import { describeError, ProgramError } from "../cli/errors.ts";

/** The flag of a freeze, renewed while this process lives. */
export interface Lease {
  /** Whether it still holds; once it has ended, it is not renewed: writes may have come through. */
  readonly lasts: () => boolean;
  /** Removes the flag. Errors: none, as nginx takes no notice of it when its time is over. */
  readonly end: () => Promise<void>;
}

/** So short that a run which is killed holds writes for seconds only. */
const LEASE_MS = 5000;
const RENEW_EVERY_MS = 1000;

/**
 * Writes the flag and renews it, never beyond the hard stop after `since` (of `performance.now()`).
 *
 * Errors: E_FREEZE when it cannot be written.
 */
export async function startLease(flagFile: string, since: number): Promise<Lease> {
  const hardStop = since + freezeLimits.hardStopSeconds * 1000;
  // Both clocks: the one that nginx reads, and the one that nothing sets back.
  let until = { wall: 0, monotonic: 0 };
  let hasEnded = false;
  const lasts = () => !hasEnded && Date.now() < until.wall && performance.now() < until.monotonic;
  const renew = async () => {
    const length = Math.min(LEASE_MS, hardStop - performance.now());
    if (length <= 0) return;
    const next = { wall: Math.floor(Date.now() + length), monotonic: performance.now() + length };
    await writeFlag(flagFile, { until: next.wall });
    until = next;
  };
  await renew().catch((error: unknown) => {
    throw new ProgramError("E_FREEZE", `cannot write ${flagFile}: ${describeError(error)}`, { cause: error });
  });
  let renewal = Promise.resolve();
  const timer = setInterval(() => {
    hasEnded = !lasts();
    // A renewal that fails lets the lease end.
    if (!hasEnded) renewal = renew().catch(() => undefined);
  }, RENEW_EVERY_MS);
  timer.unref();
  return {
    lasts,
    end: async () => {
      clearInterval(timer);
      hasEnded = true;
      await renewal;
      await rm(flagFile, { force: true }).catch(() => undefined);
    },
  };
}

async function writeFlag(path: string, lease: FreezeLease): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(lease), { mode: 0o644 });
  await rename(`${path}.new`, path);
}
