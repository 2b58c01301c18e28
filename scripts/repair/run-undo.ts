import { stat } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import type { Finding } from "../../contract/finding.ts";
import type {
  RepairUndoOutcome,
  RepairUndoReport,
  RepairUndoStep,
} from "../../contract/repair-undo-report.ts";
import { describeError, ProgramError, systemCode } from "../cli/errors.ts";
import type { Terminal } from "../cli/terminal.ts";
import { discoverRegistries } from "../source/disk/registry.ts";
import type { Effects } from "../store-change/effects.ts";
import { type RecordedRun, readRun } from "../store-change/journal.ts";
import { storeOf } from "../store-change/paths.ts";
import { closeRun, openRun } from "../store-change/run-directory.ts";
import { withStoreLocks } from "../store-change/store-lock.ts";
import {
  applyUndo,
  nextUndoDirectory,
  planRedo,
  takenAway,
  type Undone,
  unfinishedUndos,
} from "../store-change/undo.ts";
import { endangeredBy, planUndo, type UndoScope, type UndoStep } from "../store-change/undo-plan.ts";
import type { RepairArguments } from "./args.ts";
import { findNeededIn } from "./find-needed.ts";
import { type KnownFindings, knownFindings } from "./known-findings.ts";
import { findDamage } from "./survey.ts";
import {
  buildUndoReport,
  countDone,
  isStaying,
  renderSteps,
  renderUndoOutcome,
  reportSteps,
} from "./undo-report.ts";

/** `undo`: the journal's directory, or the journal itself. */
type UndoOptions = Pick<RepairArguments, "directory" | "apply" | "json" | "verify" | "bandwidthLimit"> & {
  readonly undo: string;
};

/** Undoes a repair, or says what that would do. What came to be needed since stays. */
export async function runUndo(options: UndoOptions, terminal: Terminal, effects: Effects): Promise<ExitCode> {
  const startedAt = performance.now();
  const run = await readRun(await findWorkDirectory(options.undo));
  const work = await prepare(options, run, terminal, effects);
  const { directory } = work.scope;
  const { steps, outcome } = await withStoreLocks(options.apply ? work.touched : [], async () => {
    const planned = await planUndo(run, work.scope);
    if (!options.json) terminal.out(renderSteps(reportSteps(planned, directory)));
    return { steps: planned, outcome: options.apply ? await apply(planned, work) : null };
  });
  const clock = {
    finishedAt: new Date().toISOString(),
    durationSeconds: (performance.now() - startedAt) / 1000,
  };
  const plan = { journal: run.workDirectory, steps: reportSteps(steps, directory), outcome };
  const report = buildUndoReport(plan, clock);
  terminal.out(
    options.json ? `${JSON.stringify(report, null, 2)}\n` : renderUndoOutcome(report, options.directory),
  );
  return exitCodeOf(report);
}

/** What one undo works with. */
interface Work {
  readonly run: RecordedRun;
  readonly scope: UndoScope;
  /** Data directories of the stores that the run changed. */
  readonly touched: readonly string[];
  readonly effects: Effects;
  readonly known: KnownFindings;
  readonly scan: () => Promise<readonly Finding[]>;
}

async function prepare(
  { directory: given, ...options }: UndoOptions,
  run: RecordedRun,
  terminal: Terminal,
  effects: Effects,
): Promise<Work> {
  const directory = resolve(given);
  const { sources } = await discoverRegistries(directory);
  const stores = sources.map(({ dataDirectory }) => dataDirectory);
  const changed = new Set(pathsIn(run, directory).map((path) => storeOf(path, stores)));
  const touched = sources.filter(({ dataDirectory }) => changed.has(dataDirectory));
  const scanned = touched.map((source) => ({ ...source, source }));
  return {
    run,
    scope: { directory, stores, findNeeded: findNeededIn(touched) },
    touched: touched.map(({ dataDirectory }) => dataDirectory),
    effects,
    known: knownFindings(directory, scanned),
    scan: () => findDamage(scanned, { ...options, repositories: [] }, terminal),
  };
}

function pathsIn({ entries }: RecordedRun, directory: string): readonly string[] {
  const named = entries.flatMap((entry) => {
    if (entry.did === "moved") return [entry.from, entry.to];
    return "path" in entry ? [entry.path] : [];
  });
  return named.map((path) => resolve(directory, path));
}

/**
 * Does the steps, and checks whether that did harm: a push that ran meanwhile may need what was just taken away, and so
 * may images of which no check knew. That is put forward again.
 */
async function apply(steps: readonly UndoStep[], work: Work): Promise<RepairUndoOutcome | null> {
  const { run, scope, effects, known } = work;
  const cutOff = await unfinishedUndos(run);
  if (steps.every(isStaying) && cutOff.length === 0) return null;
  const before = await work.scan();
  const workDirectory = await nextUndoDirectory(run);
  const undo = await openRun({ ...scope, workDirectory, effects, note: known.note(before) });
  const undone = await orCutOff(workDirectory, () => applyUndo(steps, undo));
  const found = await work.scan();
  const undos = [await readRun(workDirectory), ...cutOff];
  const forward = await putForward(undos, known.fresh(found, before, run.entries), work);
  await closeRun(undo);
  const left = forward.length > 0 ? await work.scan() : found;
  const exceptions = [...reportLeft(undone, scope), ...forward];
  return {
    done: countDone(
      undone.done.map((path) => relative(scope.directory, path)),
      exceptions,
    ),
    exceptions,
    left,
    fresh: known.fresh(left, before, run.entries),
    journal: workDirectory,
  };
}

function reportLeft({ left }: Undone, { directory }: UndoScope): readonly RepairUndoStep[] {
  return left.map(({ path, reason }) => ({ does: "leave", path: relative(directory, path), reason }));
}

async function putForward(
  undos: readonly RecordedRun[],
  fresh: readonly Finding[],
  { run, scope, effects }: Work,
): Promise<readonly RepairUndoStep[]> {
  const done: RepairUndoStep[] = [];
  for (const undo of undos) {
    const taken = takenAway(undo, scope);
    if (taken.size === 0) continue;
    const reasons = new Map(await scope.findNeeded(endangeredBy(run, scope.directory, taken)));
    for (const path of taken) {
      const finding = fresh.find((one) => isAbout(one, path));
      if (finding && !reasons.has(path))
        reasons.set(path, `${finding.kind}, ${finding.cause} is new without it`);
    }
    const steps = await planRedo(undo, scope, new Set(reasons.keys()));
    if (steps.length === 0) continue;
    const workDirectory = await nextUndoDirectory(undo);
    const redo = await openRun({ ...scope, workDirectory, effects });
    const forward = await orCutOff(workDirectory, () => applyUndo(steps, redo));
    await closeRun(redo);
    for (const path of forward.done)
      done.push({
        does: "put-forward",
        path: relative(scope.directory, path),
        reason: reasons.get(path) ?? null,
      });
  }
  return done;
}

/** Whether a finding is about the file of a link or a blob. */
function isAbout({ repository, digest, tags }: Finding, path: string): boolean {
  if (digest !== null) return path.includes(digest.slice(digest.indexOf(":") + 1));
  return tags.some((tag) => path.includes(`/${repository}/_manifests/tags/${tag}/`));
}

async function orCutOff<T>(workDirectory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ProgramError || systemCode(cause) === undefined) throw cause;
    const message = `The undo was cut off: ${describeError(cause)}. What was done stands in ${workDirectory}; the same command again goes on.`;
    throw new ProgramError("E_STORE_UNWRITABLE", message, { cause });
  }
}

/** The exit status that a report stands for. */
function exitCodeOf({ steps, outcome }: RepairUndoReport): ExitCode {
  if (outcome?.left.some(({ cause }) => cause === "unreadable")) return exitCodes.couldNotCheck;
  if (steps.some(isStaying) || (outcome === null && steps.length > 0)) return exitCodes.findings;
  const isAllDone = outcome === null || (outcome.exceptions.length === 0 && outcome.fresh.length === 0);
  return isAllDone ? exitCodes.clean : exitCodes.findings;
}

async function findWorkDirectory(given: string): Promise<string> {
  const path = resolve(given);
  try {
    return (await stat(path)).isDirectory() ? path : dirname(path);
  } catch (cause) {
    throw new ProgramError("E_CONFIGURATION", `Cannot read the journal ${path}: ${describeError(cause)}.`, {
      cause,
    });
  }
}
