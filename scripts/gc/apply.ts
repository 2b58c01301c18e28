import { watchInterruption } from "../cli/interruption.ts";
import { requireNotServed } from "../write-freeze/not-served.ts";
import { writeFreeze } from "../write-freeze/write-freeze.ts";
import type { GcOutcome } from "./outcome.ts";
import type { Planned, Run } from "./plan-stores.ts";
import { indexContents } from "./quarantine/contents.ts";
import { putBackCutOff } from "./quarantine/put-back.ts";
import { readRuns } from "./quarantine/runs.ts";
import { bytesByRegistry } from "./quarantine/totals.ts";
import { nothingSwept, sweep } from "./sweep/sweep.ts";
import { noTouches, touchesOf } from "./sweep/touches.ts";

/**
 * Puts back what a run moved that was cut off: the plan of this one begins with a store that is complete. The caller holds
 * the locks of the stores that are collected. Errors: as of a run of store-change.
 */
export async function putBackFormer({ options, stores, terminal, effects }: Run): Promise<void> {
  const { directory } = options;
  const scope = { directory, stores: stores.collected.map((store) => store.dataDirectory), effects };
  const { done } = await putBackCutOff(await readRuns(directory), scope);
  if (done.length > 0)
    terminal.err(
      `An earlier run was cut off: ${done.length} links and blobs that it had moved were put back.\n`,
    );
}

/**
 * Removes what was planned. The caller holds the locks of the stores since before the plan was made.
 *
 * Errors: E_CONFIGURATION when a store is served that should not be; as of {@link sweep}.
 */
export async function applyPlan(
  { registries, markOptions, setForthMs }: Planned,
  run: Run,
): Promise<GcOutcome> {
  const { options, stores, terminal, effects } = run;
  const plans = stores.collected.flatMap((source) => {
    const plan = registries.find(({ plan: { mark } }) => mark.registry === source.name)?.plan;
    return plan && plan.dead.length > 0 ? [{ source, mark: plan.mark, dead: plan.dead }] : [];
  });
  if (plans.length === 0) return nothingSwept;
  const { directory, freeze, accessLogs, offline, graceMs } = options;
  if (offline) await requireNotServed(plans.map(({ source }) => source.dataDirectory));
  const interruption = watchInterruption();
  const graceBegan = Date.now() - graceMs - setForthMs;
  const touches = accessLogs.length > 0 ? await touchesOf(accessLogs, graceBegan) : noTouches;
  try {
    const hold = freeze ? writeFreeze(freeze) : null;
    return await sweep(plans, {
      directory,
      effects,
      terminal,
      hold,
      touches,
      mark: markOptions,
      interruption,
    });
  } finally {
    await touches.close();
    interruption.dispose();
  }
}

/** Bytes of the blobs in the quarantine, by registry. Errors: E_CONFIGURATION for a journal that is damaged. */
export async function quarantinedBytes({ options, stores }: Run): Promise<ReadonlyMap<string, number>> {
  const index = indexContents(await readRuns(options.directory), options.directory);
  return bytesByRegistry(index, stores.collected);
}
