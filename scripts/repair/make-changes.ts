import { resolve } from "node:path";
import { watchInterruption } from "../cli/interruption.ts";
import { createProgressLine } from "../cli/progress.ts";
import type { Terminal } from "../cli/terminal.ts";
import { paceOf } from "../source/pace.ts";
import type { Effects } from "../store-change/effects.ts";
import { closeRun, openRun, usualWorkDirectory } from "../store-change/run-directory.ts";
import { createStoreWriter } from "../store-change/store-writer.ts";
import { type Applied, applyPlan } from "./apply.ts";
import type { RepairArguments } from "./args.ts";
import { knownFindings } from "./known-findings.ts";
import type { Plan } from "./plan.ts";
import type { Stores } from "./stores.ts";
import { type Survey, verifiedOf } from "./survey.ts";

/** What one run of the command works with. */
export interface Run {
  readonly options: RepairArguments;
  readonly stores: Stores;
  readonly terminal: Terminal;
  readonly effects: Effects;
}

/**
 * Makes the changes of a plan, with a journal.
 *
 * Errors: those of {@link openRun}, before anything is changed.
 */
export async function makeChanges(
  plan: Plan,
  { findings, sources, verified }: Survey,
  { options, stores, terminal, effects }: Run,
): Promise<{ readonly applied: Applied; readonly journal: string }> {
  const { directory } = options;
  const directories = new Map(stores.repaired.map(({ name, dataDirectory }) => [name, dataDirectory]));
  const work = await openRun({
    directory: resolve(directory),
    workDirectory:
      options.journal === undefined
        ? usualWorkDirectory(directory, "repair", new Date())
        : resolve(options.journal),
    stores: [...directories.values()],
    effects,
    note: knownFindings(directory, stores.repaired).note(findings),
  });
  const show = (made: number) => `${made} changes made`;
  const progress = createProgressLine<number>(terminal, () => performance.now(), show);
  const interruption = watchInterruption();
  const applied = await applyPlan(plan, {
    effects,
    writer: createStoreWriter(work),
    sources,
    pace: paceOf(options.bandwidthLimit),
    targetOf: (registry) => ({
      dataDirectory: directories.get(registry) ?? "",
      verified: verifiedOf(verified, registry),
    }),
    onChange: progress.update,
    interruption: interruption.signal,
  });
  interruption.dispose();
  progress.clear();
  await closeRun(work);
  return { applied, journal: work.workDirectory };
}
