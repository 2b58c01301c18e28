import { watchInterruption } from "../cli/interruption.ts";
import { createProgressLine } from "../cli/progress.ts";
import type { Terminal } from "../cli/terminal.ts";
import { paceOf } from "../scan/main.ts";
import type { Effects } from "../store-change/effects.ts";
import { createStoreWriter } from "../store-change/store-writer.ts";
import { openWorkDirectory } from "../store-change/work-directory.ts";
import { type Applied, applyPlan } from "./apply.ts";
import type { RepairArguments } from "./args.ts";
import type { Plan } from "./plan.ts";
import type { Stores } from "./stores.ts";
import { holdingsOf, type Survey } from "./survey.ts";

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
 * Errors: those of {@link openWorkDirectory}, before anything is changed.
 */
export async function makeChanges(
  plan: Plan,
  { origins, holdings }: Survey,
  { options, stores, terminal, effects }: Run,
): Promise<{ readonly applied: Applied; readonly journal: string }> {
  const { directory } = options;
  const directories = new Map(stores.repaired.map(({ name, dataDirectory }) => [name, dataDirectory]));
  const { path: workDirectory, journal } = await openWorkDirectory(effects, {
    directory,
    asked: options.journal,
    stores: [...directories.values()],
    now: new Date(),
  });
  const show = (made: number) => `${made} changes made`;
  const progress = createProgressLine<number>(terminal, () => performance.now(), show);
  const interruption = watchInterruption();
  const applied = await applyPlan(plan, {
    effects,
    writer: createStoreWriter({ effects, journal, directory, workDirectory }),
    origins,
    pace: paceOf(options.bandwidthLimit),
    targetOf: (registry) => ({
      dataDirectory: directories.get(registry) ?? "",
      holdings: holdingsOf(holdings, registry),
    }),
    onChange: progress.update,
    interruption: interruption.signal,
  });
  interruption.dispose();
  progress.clear();
  // A full disk may refuse even this line; nothing depends on it.
  await journal.record({ did: "end", at: new Date().toISOString() }).catch(() => {});
  await journal.close().catch(() => {});
  return { applied, journal: workDirectory };
}
