import type { Terminal } from "../../../scripts/cli/terminal.ts";
import type { GcOutcome } from "../../../scripts/gc/outcome.ts";
import { type SweepOptions, sweep } from "../../../scripts/gc/sweep/sweep.ts";
import { noTouches } from "../../../scripts/gc/sweep/touches.ts";
import { createEffects } from "../../../scripts/store-change/effects.ts";
import { withStoreLocks } from "../../../scripts/store-change/store-lock.ts";
import type { WriteFreeze } from "../../../scripts/write-freeze/write-freeze.ts";
import { markOptions, plansOf } from "./dead-store.ts";

/** A terminal that keeps what it is given. */
export function recordingTerminal(): Terminal & { readonly written: { out: string; err: string } } {
  const written = { out: "", err: "" };
  return {
    written,
    out: (text) => {
      written.out += text;
    },
    err: (text) => {
      written.err += text;
    },
    isInteractive: false,
    readLine: async () => "",
  };
}

const silent = { out: () => {}, err: () => {}, isInteractive: false, readLine: async () => "" };

/** Collects what is dead in a data root, as the command does it. */
export async function sweepRoot(root: string, given: Partial<SweepOptions> = {}): Promise<GcOutcome> {
  const mark = given.mark ?? markOptions;
  const plans = await plansOf(root, mark);
  const options: SweepOptions = {
    directory: root,
    effects: createEffects(),
    terminal: silent,
    hold: null,
    touches: noTouches,
    mark,
    interruption: { signal: () => undefined },
    ...given,
  };
  return withStoreLocks(
    plans.map(({ mark: { dataDirectory } }) => dataDirectory),
    () => sweep(plans, options),
  );
}

/** Holds nothing, and says that it does; what is done in place of it, and how much time is left, can be given. */
export function holdOf(given: Partial<WriteFreeze> = {}): WriteFreeze & { readonly calls: string[] } {
  const calls: string[] = [];
  const call =
    <T>(name: string, work: (() => Promise<T>) | undefined, otherwise: T) =>
    async () => {
      calls.push(name);
      return work ? work() : otherwise;
    };
  return {
    calls,
    begin: call("begin", given.begin, undefined),
    whenClear: call("whenClear", undefined, undefined),
    verify: call("verify", given.verify, undefined),
    left: given.left ?? (() => ({ budgetMs: 5000, hardStopMs: 20_000 })),
    end: call("end", given.end, 1.5),
  };
}
