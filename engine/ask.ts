import { createInterface } from "node:readline/promises";
import type { Outcome } from "./stack.ts";

/** Asks whether to apply, an update after showing what it would change. Undefined when the answer is yes; else the exit code. */
export async function ask(
  operation: "up" | "destroy",
  stack: string,
  preview: () => Promise<Outcome>,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (!process.stdin.isTTY) {
    process.stderr.write(
      `Standard input is no terminal, so the question cannot be asked: \`npm run ${operation} -- --yes\` applies without asking.\n`,
    );
    return 2;
  }
  if (operation === "up") {
    const { exitCode, changes } = await preview();
    if (exitCode !== 0) return 1;
    if (changes.length === 0) return 0;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`\n${operation} stack ${stack}? Type yes to go on: `, { signal });
  terminal.close();
  if (answer.trim() === "yes") return undefined;
  process.stdout.write("Nothing was changed.\n");
  return 0;
}
