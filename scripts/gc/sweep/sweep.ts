import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { GcReport } from "../../../contract/gc-report.ts";
import type { Interruption } from "../../cli/interruption.ts";
import type { Terminal } from "../../cli/terminal.ts";
import type { MarkOptions, RegistryMark } from "../../mark/mark.ts";
import { createMarkEngines } from "../../mark/mark-engine.ts";
import type { Thing } from "../../mark/thing.ts";
import type { DiskSource } from "../../source/disk/registry.ts";
import { type AnnouncedMoves, announce } from "../../store-change/announced-moves.ts";
import type { Effects } from "../../store-change/effects.ts";
import { removeTree } from "../../store-change/remove-tree.ts";
import { closedOnError, closeRun, type OpenRun, openRun } from "../../store-change/run-directory.ts";
import { createStoreWriter } from "../../store-change/store-writer.ts";
import type { WriteFreeze } from "../../write-freeze/write-freeze.ts";
import type { GcOutcome } from "../outcome.ts";
import { countThings, type Refusal } from "../plan.ts";
import { nameOfRun, newRunDirectory } from "../quarantine/runs.ts";
import { giveBackTouched } from "./give-back-touched.ts";
import { moveWhileHeld } from "./move-while-held.ts";
import { prove } from "./proof.ts";
import { movedOf, type SweepList, type Swept, touchedThings } from "./sweep-list.ts";
import type { Touched, Touches } from "./touches.ts";

/** What is to be removed of one registry, by its mark. */
export interface SweepPlan {
  readonly source: DiskSource;
  readonly mark: RegistryMark;
  /** Links before blobs. */
  readonly dead: readonly Thing[];
}

export interface SweepOptions {
  /** The directory that the program was given. */
  readonly directory: string;
  readonly effects: Effects;
  readonly terminal: Terminal;
  /** How writes are held; null: nothing serves the stores. */
  readonly hold: WriteFreeze | null;
  readonly touches: Touches;
  readonly mark: MarkOptions;
  readonly interruption: Pick<Interruption, "signal">;
}

/** Things that one run moves at most: its journal is read as one text. */
const thingsAtMost = 500_000;

/**
 * Moves what is dead into the quarantine, while writes are held, and proves that everything is complete that was so. What
 * goes wrong puts all of it back. The caller holds the locks of the stores.
 *
 * Errors: E_STORE_UNWRITABLE and E_CONFIGURATION before anything was changed; those of the file system when not even
 * putting back could be done: the run is unfinished then, and the next one puts it back.
 */
export async function sweep(plans: readonly SweepPlan[], options: SweepOptions): Promise<GcOutcome> {
  const before = await options.touches.before();
  if ("fault" in before)
    return { ...nothingSwept, refused: { reason: "touched", text: `${before.fault} Nothing was removed.` } };
  const { directory, effects } = options;
  const run = await openRun({
    directory: resolve(directory),
    workDirectory: newRunDirectory(directory, new Date()),
    stores: plans.map(({ source }) => source.dataDirectory),
    effects,
  });
  return closedOnError(run.journal, () => sweepInto(run, plans, before.touched, options));
}

async function sweepInto(
  run: OpenRun,
  plans: readonly SweepPlan[],
  before: Touched,
  options: SweepOptions,
): Promise<GcOutcome> {
  const list = listOf(plans, run);
  const touched = touchedThings(list, before);
  const moves = [...list.values()].filter((swept) => !touched.has(swept)).map(({ move }) => move);
  const announced = await announce(moves, run);
  const held = await moveWhileHeld(plans, { list, touched, announced, ...options });
  const late = await giveBackTouched({ list, announced, touches: options.touches });
  await announced.finish();
  const proof = announced.made().size > 0 ? await proveOrGiveBack(plans, list, announced, options) : null;
  // What could not go back, because a push has written its place again, is kept like all else.
  const isEmpty = (await readdir(join(run.workDirectory, "moved"))).length === 0;
  await closeRun(run);
  if (isEmpty) await removeTree(run.workDirectory, options.effects);
  const made = announced.made();
  const stayed = new Set([...touched, ...held.stayed, ...late]);
  const refused = proof && proof.lost.length > 0 ? proofFailed : held.refused;
  const all = [...list.values()];
  const moved = all.filter(({ move }) => made.has(move));
  const left = all.filter((swept) => !made.has(swept.move) && !stayed.has(swept));
  return {
    run: isEmpty ? null : nameOfRun(run),
    removed: refused
      ? new Map()
      : byRegistry(plans, (own) => countThings(own.map(({ thing }) => thing)), moved),
    touched: byRegistry(plans, (own) => own.length, [...stayed]),
    left: byRegistry(plans, (own) => own.length, refused ? [] : left),
    refused,
    freezeSeconds: held.freezeSeconds,
    freezeTries: held.freezeTries,
    proof,
    interruptedBy: options.interruption.signal(),
  };
}

const proofFailed: Refusal = {
  reason: "proof",
  text: "After the removal something was not complete any more that had been so, so all of it was put back.",
};

async function proveOrGiveBack(
  plans: readonly SweepPlan[],
  list: SweepList,
  announced: AnnouncedMoves,
  { terminal, mark }: SweepOptions,
): Promise<GcReport["proof"]> {
  const moved = () => movedOf(list, announced.made());
  const engines = mark.engines ?? createMarkEngines(mark.threads);
  const proof = await prove(plans, moved, engines, terminal).finally(async () => {
    if (engines !== mark.engines) await engines.stop();
  });
  if (proof.lost.length === 0) return proof;
  await announced.giveBack(announced.made());
  await announced.finish();
  return proof;
}

function listOf(plans: readonly SweepPlan[], run: OpenRun): SweepList {
  const { movedPath } = createStoreWriter(run);
  const list = new Map<string, Swept>();
  // Links of several registries before any blob, so that what is left for the next run are blobs.
  for (const isBlob of [false, true])
    for (const { dead, mark } of plans)
      for (const thing of dead) {
        if ((thing.kind === "blob") !== isBlob || list.size === thingsAtMost) continue;
        const { path } = thing;
        const { registry, dataDirectory } = mark;
        list.set(path, {
          thing,
          registry,
          dataDirectory,
          path,
          at: path,
          move: { from: path, to: movedPath() },
        });
      }
  return list;
}

function byRegistry<T>(
  plans: readonly SweepPlan[],
  sum: (own: readonly Swept[]) => T,
  all: readonly Swept[],
): ReadonlyMap<string, T> {
  const groups = Map.groupBy(all, ({ registry }) => registry);
  return new Map(plans.map(({ mark: { registry } }) => [registry, sum(groups.get(registry) ?? [])]));
}

/** Of a run that changed nothing. */
export const nothingSwept: GcOutcome = {
  run: null,
  removed: new Map(),
  touched: new Map(),
  left: new Map(),
  refused: null,
  freezeSeconds: null,
  freezeTries: null,
  proof: null,
  interruptedBy: undefined,
};
