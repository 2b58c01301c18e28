import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Listr, type ListrTask, PRESET_TIMER } from "listr2";
import { LabError, messageOf } from "../machine/errors.ts";
import type { Instance } from "../machine/instances.ts";
import { stateDirectory } from "../machine/paths.ts";
import type { Reporter } from "../machine/run.ts";
import { bad, faint, heading } from "../machine/screen.ts";

/** One step of bringing the lab up. */
export interface Step {
  /** Name of its log file. */
  readonly name: string;
  readonly title: string;
  /** Does the step; looks at what is there and trusts nothing else. The text is what to show beside the title. */
  readonly run: (reporter: Reporter) => Promise<string>;
  /** Why the step is not done at all. */
  readonly skip?: string;
}

/** A step that failed. */
export interface Failure {
  readonly step: Step;
  readonly error: unknown;
  readonly logFile: string;
}

/** Where a step's full output goes. */
function logFileOf(instance: Instance, step: Step): string {
  return join(stateDirectory(instance), "logs", `${step.name}.log`);
}

/** Screen lines: at most ten a second for a terminal, one in fifteen seconds for a log. */
const pauseMilliseconds = process.stdout.isTTY ? 100 : 15_000;

/** Writes every line to the log and shows the last one now and then. */
function openReporter(logFile: string, show: (line: string) => void): Reporter & { close(): void } {
  mkdirSync(join(logFile, ".."), { recursive: true });
  const log = openSync(logFile, "w");
  let shownAt = performance.now();
  return {
    say: (line) => {
      const plain = stripVTControlCharacters(line);
      writeSync(log, `${new Date().toISOString()} ${plain}\n`);
      if (plain.trim() === "" || performance.now() - shownAt < pauseMilliseconds) return;
      shownAt = performance.now();
      show(plain.trim().slice(0, 160));
    },
    close: () => closeSync(log),
  };
}

function taskOf(step: Step, instance: Instance, fail: (failure: Failure) => void): ListrTask {
  const logFile = logFileOf(instance, step);
  return {
    title: step.title,
    skip: step.skip === undefined ? false : `${step.title}: ${step.skip}`,
    task: async (_context, task) => {
      const reporter = openReporter(logFile, (line) => {
        task.output = line;
      });
      try {
        const note = await step.run(reporter);
        if (note !== "") task.title = `${step.title}: ${note}`;
      } catch (error) {
        reporter.say(messageOf(error));
        fail({ step, error, logFile });
        throw new Error("see below");
      } finally {
        reporter.close();
      }
    },
  };
}

/** Runs the steps one after another and shows them; gives the one that failed, if one did. */
export async function runSteps(steps: readonly Step[], instance: Instance): Promise<Failure | undefined> {
  let failure: Failure | undefined;
  const note = (failed: Failure) => {
    failure = failed;
  };
  const list = new Listr(
    steps.map((step) => taskOf(step, instance, note)),
    {
      registerSignalListeners: false,
      rendererOptions: { timer: PRESET_TIMER, showErrorMessage: false, formatOutput: "truncate" },
      fallbackRendererOptions: { timer: PRESET_TIMER },
    },
  );
  await list.run().catch((error: unknown) => {
    if (failure === undefined) throw error;
  });
  return failure;
}

/** What to show after a failure: the end of its log, where the rest is, and the way on. */
export function failureText({ step, error, logFile }: Failure): string {
  const lines = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-20);
  const hint = error instanceof LabError ? error.hint : undefined;
  return [
    heading(bad(`"${step.title}" failed: ${messageOf(error).split("\n")[0]?.slice(0, 300)}`)),
    ...lines.map((line) => `  ${faint(line)}`),
    "",
    `  The whole log: ${logFile}`,
    `  ${hint ?? "Mend what the log names."}`,
    '  Then run "npm run lab" again: what is done already stays done.',
  ].join("\n");
}
