import { expect } from "vitest";
import { type Ended, engine, lab } from "./stack.ts";

/** Checks how a program ended, and shows what it said when it ended otherwise. */
export function expectCode({ exitCode, output }: Ended, code: number): void {
  expect(exitCode, output).toBe(code);
}

/** Runs an operation of the engine, which must end with this code; gives its output. */
export async function engineEnds(code: number, operation: string, ...args: string[]): Promise<string> {
  const ended = await engine(operation, ...args);
  expectCode(ended, code);
  return ended.output;
}

/** Runs a command of the lab, which must end with this code; gives its output. */
export async function labEnds(code: number, ...args: string[]): Promise<string> {
  const ended = await lab(...args);
  expectCode(ended, code);
  return ended.output;
}

/** Applies the program to what there is; must work. */
export async function up(): Promise<void> {
  await engineEnds(0, "up", "--yes");
}

/** Nothing may differ from the program. */
export async function noDrift(): Promise<void> {
  await engineEnds(0, "drift");
}
