import { setTimeout as sleep } from "node:timers/promises";
import { type FreezeStatus, freezeLimits } from "../../contract/write-freeze.ts";
import { ProgramError } from "../cli/errors.ts";
import { type Lease, startLease } from "./lease.ts";
import { freezeState, type Probe, startProbe } from "./nginx.ts";

/**
 * Writes to the registry held by nginx for seconds: a client waits and goes on, none is refused.
 *
 * One freeze a run at a time. Whatever becomes of this process, nginx lets writes go on when the lease has ended.
 */
export interface WriteFreeze {
  /**
   * Holds writes; resolves when nginx says so and no manifest PUT and no commit of an upload is on its way.
   *
   * Errors: E_FREEZE; E_FREEZE_BUSY when such a request did not end in time. Nothing is frozen then.
   */
  readonly begin: () => Promise<void>;
  /**
   * Resolves when no manifest PUT and no commit of an upload is on its way, when the time is over or `isStopped`. Holds
   * nothing. Errors: none.
   */
  readonly whenClear: (withinMs: number, isStopped: () => boolean) => Promise<void>;
  /** Errors: E_FREEZE when writes are not held any more. */
  readonly verify: () => Promise<void>;
  /** Milliseconds that are left of the budget and of the hard stop. */
  readonly left: () => { readonly budgetMs: number; readonly hardStopMs: number };
  /** Lets writes go on; seconds for which they were held. Errors: none. */
  readonly end: () => Promise<number>;
}

export interface FreezeOptions {
  /** In a directory that nginx reads too; it exists only while writes are held. */
  readonly flagFile: string;
  /** Of nginx's metrics port. */
  readonly statusUrl: string;
}

/** How long to wait for writes that are on their way: the rest of the budget is for what the freeze is for. */
const CLEAR_WITHIN_MS = 4000;
const POLL_MS = 25;
const IDLE_POLL_MS = 250;

interface Held {
  readonly since: number;
  readonly lease: Lease;
  readonly probe: Probe;
}

/** Errors of all: a second `begin` before `end` is a fault of the caller. */
export function writeFreeze({ flagFile, statusUrl }: FreezeOptions): WriteFreeze {
  let held: Held | undefined;
  const elapsed = () => (held === undefined ? 0 : performance.now() - held.since);
  const verify = async () => {
    if (held === undefined) throw notHeld("no freeze has begun");
    await requireHeld(held, statusUrl);
  };
  const end = async () => {
    if (held === undefined) return 0;
    const { since, lease, probe } = held;
    held = undefined;
    await lease.end();
    probe.stop();
    return (performance.now() - since) / 1000;
  };
  return {
    begin: async () => {
      if (held !== undefined) throw new Error("writes are held already");
      // A server that does not answer now would not say either when writes are held.
      await freezeState(statusUrl);
      const since = performance.now();
      held = { since, lease: await startLease(flagFile, since), probe: startProbe(statusUrl) };
      try {
        await untilClear(held, statusUrl);
      } catch (error) {
        await end();
        throw error;
      }
    },
    whenClear: (withinMs, isStopped) => whenClear(statusUrl, withinMs, isStopped),
    verify,
    left: () => ({
      budgetMs: Math.max(0, freezeLimits.budgetSeconds * 1000 - elapsed()),
      hardStopMs: Math.max(0, freezeLimits.hardStopSeconds * 1000 - elapsed()),
    }),
    end,
  };
}

async function whenClear(statusUrl: string, withinMs: number, isStopped: () => boolean): Promise<void> {
  const until = performance.now() + withinMs;
  while (performance.now() < until && !isStopped()) {
    const state = await freezeState(statusUrl).catch(() => undefined);
    if (state && state.manifestPuts + state.commits === 0) return;
    await sleep(IDLE_POLL_MS);
  }
}

/** Waits until the probe is held and nothing that links a blob is on its way. */
async function untilClear(held: Held, statusUrl: string): Promise<void> {
  for (;;) {
    const state = await requireHeld(held, statusUrl);
    if (state.probes > 0 && state.manifestPuts + state.commits === 0) return;
    if (performance.now() - held.since > CLEAR_WITHIN_MS) throw stillBusy(state);
    await sleep(POLL_MS);
  }
}

async function requireHeld({ lease, probe }: Held, statusUrl: string): Promise<FreezeStatus> {
  if (!lease.lasts()) throw notHeld("its lease has ended before this run renewed it");
  const state = await freezeState(statusUrl);
  if (!state.frozen)
    throw notHeld(
      `${statusUrl} says that nginx sees no flag that counts: does it have the flag's directory?`,
    );
  const answer = probe.answer();
  if (answer !== undefined) throw notHeld(`a request that should be held got ${answer}`);
  return state;
}

function stillBusy({ probes, manifestPuts, commits }: FreezeStatus): ProgramError {
  const seconds = CLEAR_WITHIN_MS / 1000;
  const what =
    probes === 0
      ? "no request was seen to be held"
      : `${manifestPuts} manifest PUTs and ${commits} ends of uploads or mounts were still on their way`;
  return new ProgramError("E_FREEZE_BUSY", `writes were let go on again: after ${seconds} s ${what}`);
}

function notHeld(why: string): ProgramError {
  return new ProgramError("E_FREEZE", `nginx does not hold writes: ${why}`);
}
