import { appendFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "../machine/errors.ts";
import type { Instance } from "../machine/instances.ts";
import { stateDirectory } from "../machine/paths.ts";
import type { StepOptions } from "../machine/run.ts";
import { bad, duration, faint, good, heading, print } from "../machine/screen.ts";

/** A result of a step, and whether it is the expected one. */
export interface Observation {
  readonly text: string;
  readonly isExpected: boolean;
}

/** One step of what the lab demonstrates. */
export interface Step {
  readonly title: string;
  /** What a person would type to do the same. */
  readonly commands: readonly string[];
  /** Does it. Returns what was observed. */
  readonly run: () => Promise<readonly Observation[]>;
  /** What it means, in a sentence or two. */
  readonly meaning: string;
}

const width = 96;

/** Text in lines of at most {@link width} characters. */
export function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length + 1 > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => `${indent}${each}`).join("\n");
}

async function observationsOf(step: Step): Promise<readonly Observation[]> {
  try {
    return await step.run();
  } catch (error) {
    return [{ text: messageOf(error), isExpected: false }];
  }
}

/** Runs one step and prints it. Returns the observations that are not expected. */
export async function runStep(
  step: Step,
  number: number,
  show: (text: string) => void = print,
): Promise<readonly Observation[]> {
  show(heading(`${number}. ${step.title}`));
  for (const command of step.commands) show(`   ${faint(`$ ${command}`)}`);
  const observations = await observationsOf(step);
  for (const { text, isExpected } of observations) {
    const [first = "", ...more] = text.split("\n");
    show(`   ${isExpected ? good("●") : bad("● unexpected:")} ${first}`);
    for (const line of more) show(`     ${line}`.trimEnd());
  }
  show(wrapped(step.meaning, "   "));
  return observations.filter(({ isExpected }) => !isExpected);
}

/** What the commands of a demonstration print goes to a log file: the screen has only what matters. */
export function logTo(instance: Instance, name: string): StepOptions & { readonly logFile: string } {
  const logFile = join(stateDirectory(instance), `logs/${name}.log`);
  mkdirSync(dirname(logFile), { recursive: true });
  const say = (line: string) => appendFileSync(logFile, `${new Date().toISOString()} ${line}\n`);
  return { logFile, reporter: { say } };
}

/** Says whether all went as expected, and what did not. */
export function printEnd(unexpected: readonly Observation[], seconds: number, logFile: string): void {
  if (unexpected.length === 0) {
    print(heading(good(`Every step had the expected result (${duration(seconds)}).`)));
    return;
  }
  print(heading(bad(`${unexpected.length} of the results are not the expected ones:`)));
  for (const { text } of unexpected) print(`   ${text.split("\n")[0]}`);
  print(`   Output of the commands: ${logFile}`);
}
