import { readdir } from "node:fs/promises";
import { basename, isAbsolute, join, relative, resolve } from "node:path";
import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import { type RetainUndoReport, retainUndoReportSchema } from "../../contract/retain-report.ts";
import { ProgramError } from "../cli/errors.ts";
import type { Terminal } from "../cli/terminal.ts";
import { repositoriesPath } from "../registry/paths.ts";
import { counted } from "../report/phrases.ts";
import { readLink } from "../source/disk/link.ts";
import { type DiskSource, discoverRegistries } from "../source/disk/registry.ts";
import type { Effects } from "../store-change/effects.ts";
import { type RecordedRun, readRun } from "../store-change/journal.ts";
import { storeOf } from "../store-change/paths.ts";
import { closedOnError, closeRun, openRun, purgingSuffix } from "../store-change/run-directory.ts";
import { withStoreLocks } from "../store-change/store-lock.ts";
import { applyUndo, nextUndoDirectory } from "../store-change/undo.ts";
import { planUndo, type UndoStep } from "../store-change/undo-plan.ts";
import { brokenNote, retainedDirectory } from "./apply.ts";
import { findMissing } from "./find-missing.ts";
import { firstLines } from "./table.ts";

interface UndoOptions {
  readonly directory: string;
  readonly apply: boolean;
  readonly json: boolean;
  /** A run's name or directory. */
  readonly run: string;
}

interface Work {
  readonly directory: string;
  readonly sources: readonly DiskSource[];
  readonly effects: Effects;
}

/** Puts the tags of a run back, or says what that would do. */
export async function runUndo(options: UndoOptions, terminal: Terminal, effects: Effects): Promise<ExitCode> {
  const startedAt = performance.now();
  const directory = resolve(options.directory);
  const run = await readRun(await findRun(directory, options.run));
  const { sources } = await discoverRegistries(directory);
  const work = { directory, sources, effects };
  const locked = options.apply ? sources.map(({ dataDirectory }) => dataDirectory) : [];
  const result = await withStoreLocks(locked, () => undo(run, options.apply, work));
  const report: RetainUndoReport = {
    schema: retainUndoReportSchema,
    finishedAt: new Date().toISOString(),
    durationSeconds: Math.round(performance.now() - startedAt) / 1000,
    run: run.workDirectory,
    applied: options.apply,
    ...result,
  };
  terminal.out(options.json ? `${JSON.stringify(report, null, 2)}\n` : renderUndo(report, options.directory));
  const isDone = report.left.length === 0 && (options.apply || report.back.length === 0);
  return isDone ? exitCodes.clean : exitCodes.findings;
}

async function undo(
  run: RecordedRun,
  apply: boolean,
  { directory, sources, effects }: Work,
): Promise<Pick<RetainUndoReport, "back" | "left" | "undo">> {
  const stores = sources.map(({ dataDirectory }) => dataDirectory);
  const scope = { directory, stores, findNeeded: async () => new Map<string, string>() };
  const checked: UndoStep[] = [];
  const name = (path: string) => tagName(path, sources);
  const broken = brokenBefore(run);
  for (const step of await planUndo(run, scope))
    checked.push(broken.has(name(step.path)) ? step : await requireComplete(step, sources));
  const leave = checked.flatMap((step) =>
    step.does === "leave" ? [{ tag: name(step.path), text: step.reason }] : [],
  );
  // Without its tags, a repository's directories say nothing, and a run makes and removes none.
  const steps = checked.filter(({ does }) => does === "move-back" || does === "take-out");
  const planned = { back: steps.map(({ path }) => name(path)), left: leave, undo: null };
  if (!apply || steps.length === 0) return planned;
  const touched = new Set(steps.flatMap(({ path }) => storeOf(path, stores) ?? []));
  const workDirectory = await nextUndoDirectory(run);
  const open = await openRun({ directory, workDirectory, stores: [...touched], effects });
  const { done, left } = await closedOnError(open.journal, () => applyUndo(steps, open));
  await closeRun(open);
  return {
    back: done.map(name),
    left: [...leave, ...left.map(({ path, reason }) => ({ tag: name(path), text: reason }))],
    undo: workDirectory,
  };
}

/** What was incomplete when it was moved comes back as it was. */
function brokenBefore({ entries }: RecordedRun): ReadonlySet<unknown> {
  const notes = entries.flatMap((entry) => (entry.did === "note" ? [entry.note[brokenNote]] : []));
  return new Set(notes.flatMap((note): unknown[] => (Array.isArray(note) ? note : [])));
}

/** A tag whose image was collected meanwhile would be there and could not be pulled. */
async function requireComplete(step: UndoStep, sources: readonly DiskSource[]): Promise<UndoStep> {
  if (step.does !== "move-back") return step;
  const source = sources.find(({ dataDirectory }) => storeOf(step.path, [dataDirectory]) !== undefined);
  const link = readLink(join(step.from, "current", "link"));
  if (!source || link?.state !== "linked") return step;
  const missing = await findMissing(source, repositoryOf(step.path, source), link.digest);
  if (missing === undefined) return step;
  const reason = `is not put back, as ${missing}. Was it collected? Then first: regwarden gc DIR --undo RUN`;
  return { does: "leave", path: step.path, reason };
}

function repositoryOf(path: string, { dataDirectory }: DiskSource): string {
  return relative(repositoriesPath(dataDirectory), path).split("/_manifests/")[0] ?? "";
}

function tagName(path: string, sources: readonly DiskSource[]): string {
  const source = sources.find(({ dataDirectory }) => storeOf(path, [dataDirectory]) !== undefined);
  return source ? `${source.name}/${repositoryOf(path, source)}:${basename(path)}` : path;
}

/** Errors: E_CONFIGURATION with the runs that there are. */
async function findRun(directory: string, given: string): Promise<string> {
  const base = join(directory, retainedDirectory);
  const isName = !isAbsolute(given) && !given.includes("/");
  const names: readonly string[] = await readdir(base).catch(() => []);
  if (!isName) return resolve(given);
  if (names.includes(given)) return join(base, given);
  const known = names.filter((name) => !name.endsWith(purgingSuffix)).join(", ");
  throw new ProgramError(
    "E_CONFIGURATION",
    `There is no run ${given} in ${base}; found ${known === "" ? "none" : known}.`,
  );
}

function renderUndo({ applied, back, left, undo }: RetainUndoReport, directory: string): string {
  return [
    ...firstLines(back.map((tag) => `${applied ? "back     " : "put back "}  ${tag}\n`)),
    ...firstLines(left.map(({ tag, text }) => `leave      ${tag}: ${text}\n`)),
    back.length + left.length === 0 ? "Nothing to undo.\n" : "",
    !applied && back.length > 0
      ? `${counted(back.length, "tag")} would be back. Nothing was changed. To do this, the same command with --apply.\n`
      : "",
    undo === null
      ? ""
      : `${counted(back.length, "tag is", "tags are")} back. To undo this: regwarden retain ${directory} --undo ${undo} --apply\n`,
  ].join("");
}
