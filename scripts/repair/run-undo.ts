import { stat } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import { describeError, ProgramError } from "../cli/errors.ts";
import type { Terminal } from "../cli/terminal.ts";
import { discoverRegistries } from "../source/disk/registry.ts";
import type { Effects } from "../store-change/effects.ts";
import { openJournal, readJournal } from "../store-change/journal.ts";
import { withStoreLocks } from "../store-change/store-lock.ts";
import { applyUndo, planUndo, type UndoStep } from "../store-change/undo.ts";

export interface UndoOptions {
  readonly directory: string;
  /** The journal's directory, or the journal itself. */
  readonly undo: string;
  readonly apply: boolean;
}

/** Takes a repair back, or says what that would do. */
export async function runUndo(
  { directory, undo, apply }: UndoOptions,
  terminal: Terminal,
  effects: Effects,
): Promise<ExitCode> {
  const workDirectory = await findWorkDirectory(undo);
  const entries = await readJournal(workDirectory);
  const { sources } = await discoverRegistries(directory);
  const stores = sources.map(({ dataDirectory }) => dataDirectory);
  const places = { directory, workDirectory, stores };
  return withStoreLocks(apply ? stores : [], async () => {
    const steps = await planUndo(entries, places);
    terminal.out(renderSteps(steps, directory));
    if (!apply || steps.length === 0) return conclude(steps, terminal);
    const left = await applyUndo(steps, effects, workDirectory);
    const journal = await openJournal(effects, workDirectory);
    await journal.record({ did: "undo", at: new Date().toISOString() });
    await journal.close();
    for (const what of left) terminal.err(`Left as it is: ${what}.\n`);
    terminal.out(`Taken back. What was taken out lies in ${workDirectory}; restart the registry.\n`);
    return left.length === 0 ? exitCodes.clean : exitCodes.findings;
  });
}

function conclude(steps: readonly UndoStep[], terminal: Terminal): ExitCode {
  if (steps.length === 0) {
    terminal.out("Nothing to take back.\n");
    return exitCodes.clean;
  }
  terminal.out("Nothing was changed. To do this, the same command with --apply.\n");
  return exitCodes.findings;
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

function renderSteps(steps: readonly UndoStep[], directory: string): string {
  return steps.map((step) => `${verbs[step.does]} ${relative(resolve(directory), step.path)}\n`).join("");
}

const verbs: Readonly<Record<UndoStep["does"], string>> = {
  "take-out": "take out of the store    ",
  "put-back": "put back what was before ",
  "remove-directory": "remove the directory     ",
  leave: "leave as it is           ",
};
