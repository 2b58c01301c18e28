import { ProgramError } from "../cli/errors.ts";
import { createProgressLine } from "../cli/progress.ts";
import type { Terminal } from "../cli/terminal.ts";
import { defaultMaxAgeMs } from "../in-use-list/check-in-use.ts";
import { readInUseList } from "../in-use-list/read-in-use.ts";
import type { MarkOptions } from "../mark/mark.ts";
import type { MarkEngines } from "../mark/mark-engine.ts";
import { markWithLedger } from "../mark/mark-with-ledger.ts";
import type { Digest } from "../registry/digest.ts";
import { readRules } from "../retention-rules/read-rules.ts";
import type { Effects } from "../store-change/effects.ts";
import type { GcArguments } from "./args.ts";
import { describeProgress } from "./describe-progress.ts";
import type { Stores } from "./find-stores.ts";
import { planRegistry } from "./plan.ts";
import type { PlannedRegistry } from "./report.ts";

/** One run of the collection. */
export interface Run {
  readonly options: GcArguments;
  readonly stores: Stores;
  readonly terminal: Terminal;
  readonly effects: Effects;
}

export interface Planned {
  readonly registries: readonly PlannedRegistry[];
  /** What the marks went by, for marks that come after. */
  readonly markOptions: MarkOptions;
  /** By how much the clock was set forth since the last marks: times before seem older by that. */
  readonly setForthMs: number;
  /** What could not be done: a sentence each. */
  readonly faults: readonly string[];
}

/** What a clock may gain by being kept right. */
const clockToleranceMs = 60_000;

/**
 * Marks all stores, one after the other, and plans what goes. `engines`: what reads the stores, where it is needed after
 * that too. Errors: E_IN_USE, E_CONFIGURATION.
 */
export async function planStores(
  { options, stores, terminal, effects }: Run,
  engines?: MarkEngines,
): Promise<Planned> {
  const progress = createProgressLine(terminal, () => performance.now(), describeProgress);
  const markOptions: MarkOptions = {
    ...(await markOptionsOf(options, stores)),
    onProgress: progress.update,
    ...(engines && { engines }),
  };
  const registries: PlannedRegistry[] = [];
  const faults: string[] = [];
  let setForthMs = 0;
  for (const source of stores.collected) {
    const one = await markWithLedger(source, markOptions, {
      directory: options.directory,
      effects: options.ledger ? effects : undefined,
    });
    const { mark, ledger, fault } = one;
    setForthMs = Math.max(setForthMs, one.setForthMs);
    registries.push({ plan: planRegistry(mark, options.budget), ledger });
    if (fault !== null) faults.push(fault);
  }
  progress.clear();
  if (setForthMs > clockToleranceMs)
    terminal.err(
      `The clock was set forth by ${Math.round(setForthMs / 60_000)} minutes since the last mark: the grace is longer by that.\n`,
    );
  return { registries, markOptions, setForthMs, faults };
}

/** What marks go by, but for the ledger. Errors: E_IN_USE; E_CONFIGURATION for rules that are wrong. */
export async function markOptionsOf(options: GcArguments, stores: Stores): Promise<MarkOptions> {
  const { graceMs, overwrittenMs, deadForMs, shard } = options;
  const inUse = await digestsInUse(options, stores);
  const retention = options.rules === undefined ? undefined : (await readRules(options.rules)).rules;
  return { graceMs, overwrittenMs, retention, deadForMs, shard, inUse };
}

/** Digests that the cluster uses, of whatever repository: another one may have the same content. Errors: E_IN_USE. */
async function digestsInUse(
  { inUse, instances }: Pick<GcArguments, "inUse" | "instances">,
  { all }: Stores,
): Promise<ReadonlySet<Digest>> {
  if (!inUse) return new Set();
  const dataDirectoryOf = (name: string) => all.find((source) => source.name === name)?.dataDirectory;
  const rules = { instances, now: Date.now(), maxAgeMs: defaultMaxAgeMs };
  const list = await readInUseList(inUse, dataDirectoryOf, rules);
  if (list.state === "unusable")
    throw new ProgramError(
      "E_IN_USE",
      `${list.text} Nothing was removed, as images that run may be missing in it.`,
    );
  return new Set([...list.repositories.values()].flatMap(({ digests }) => [...digests]));
}
