import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Listr, type ListrTask, PRESET_TIMER } from "listr2";
import { LabError, messageOf } from "../machine/errors.ts";
import type { Reporter, StepOptions } from "../machine/run.ts";
import { bad, faint, heading } from "../machine/screen.ts";

interface Step {
  /** Name of its log file. */
  readonly name: string;
  readonly title: string;
  run(values: object, options: StepOptions): Promise<unknown>;
  /** What to show beside the title when it is done. */
  note(value: unknown): string;
  /** Why it is not run. */
  readonly skip?: string;
}

/**
 * A list of steps. A step checks what is there and trusts nothing else; it returns a value, and each later step gets
 * the values of all before it, by the steps' names.
 */
export class Steps<Values extends object = object> {
  readonly all: readonly Step[];

  constructor(all: readonly Step[] = []) {
    this.all = all;
  }

  /** The same steps and one more. */
  add<Name extends string, Value>(
    name: Name,
    title: string,
    run: (values: Values, options: StepOptions) => Promise<Value>,
    note: (value: Value) => string = () => "",
  ): Steps<Values & Readonly<Record<Name, Value>>> {
    return new Steps([...this.all, { name, title, run, note } as Step]);
  }

  /** The same steps and one that is shown but not run. */
  skip(name: string, title: string, reason: string): Steps<Values> {
    const none = { run: async () => undefined, note: () => "" };
    return new Steps([...this.all, { name, title, skip: reason, ...none }]);
  }
}

/** A step that failed; `cause` is why. */
export class StepFailure extends Error {
  readonly title: string;
  readonly logFile: string;

  constructor(title: string, logFile: string, cause: unknown) {
    super(`${title} failed`, { cause });
    this.name = "StepFailure";
    this.title = title;
    this.logFile = logFile;
  }
}

/** Pause between two lines beside a step: ten a second on a terminal, one in fifteen seconds in a log. */
const pauseMilliseconds = process.stdout.isTTY ? 100 : 15_000;

/** Writes every line to the log file, and shows the last one now and then. */
function openReporter(logFile: string, show: (line: string) => void): Reporter & { close(): void } {
  mkdirSync(dirname(logFile), { recursive: true });
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

function taskOf(step: Step, logFile: string, run: (options: StepOptions) => Promise<unknown>): ListrTask {
  return {
    title: step.title,
    skip: step.skip === undefined ? false : `${step.title}: ${step.skip}`,
    task: async (_context, task) => {
      const reporter = openReporter(logFile, (line) => {
        task.output = line;
      });
      try {
        const note = step.note(await run({ reporter }));
        if (note !== "") task.title = `${step.title}: ${note}`;
      } catch (error) {
        reporter.say(messageOf(error));
        throw new StepFailure(step.title, logFile, error);
      } finally {
        reporter.close();
      }
    },
  };
}

/**
 * Runs the steps one after another and shows them. Returns their values by name.
 *
 * Errors: {@link StepFailure} of the first that failed; the ones after it do not run.
 */
export async function runSteps<Values extends object>(
  { all }: Steps<Values>,
  logDirectory: string,
): Promise<Values> {
  let values: object = {};
  const tasks = all.map((step) =>
    taskOf(step, join(logDirectory, `${step.name}.log`), async (options) => {
      const value = await step.run(values, options);
      values = { ...values, [step.name]: value };
      return value;
    }),
  );
  const list = new Listr(tasks, {
    registerSignalListeners: false,
    rendererOptions: { timer: PRESET_TIMER, showErrorMessage: false, formatOutput: "truncate" },
    fallbackRendererOptions: { timer: PRESET_TIMER },
  });
  await list.run();
  return values as Values;
}

/** What to show after a failure: the end of its log, where the rest is, and what to do next. */
export function failureText({ title, cause, logFile }: StepFailure): string {
  const lines = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-20);
  const hint = cause instanceof LabError ? cause.hint : undefined;
  return [
    heading(bad(`"${title}" failed: ${messageOf(cause).split("\n")[0]?.slice(0, 300)}`)),
    ...lines.map((line) => `  ${faint(line)}`),
    "",
    `  The whole log: ${logFile}`,
    `  ${hint ?? "Repair what the log names."}`,
    '  Then run "npm run lab" again: what is done already stays done.',
  ].join("\n");
}
