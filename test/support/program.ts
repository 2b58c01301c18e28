import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import { commands } from "../../scripts/cli/commands.ts";
import { runCommandLine } from "../../scripts/cli/run.ts";

/** The program's entry file, for tests that start it in a way of their own. */
export const program = join(import.meta.dirname, "../../scripts/main.ts");

/** A directory that is gone after the test. */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "regwarden-unit-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One run of the program within this process. */
export async function regwarden(
  argv: readonly string[],
  { input = "", isInteractive = false }: { readonly input?: string; readonly isInteractive?: boolean } = {},
): Promise<Outcome> {
  const written = { stdout: "", stderr: "" };
  const exitCode = await runCommandLine(commands, argv, {
    out: (text) => {
      written.stdout += text;
    },
    err: (text) => {
      written.stderr += text;
    },
    isInteractive,
    readLine: async () => input,
  });
  return { exitCode, ...written };
}

/**
 * One run as a process of its own, for what a process reads once at its start (the authorities that it trusts). It sees
 * no variable but those that are given.
 */
export async function regwardenProcess(
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input = "",
): Promise<Outcome> {
  const options = { env: environment, extendEnv: false, input, reject: false, stripFinalNewline: false };
  const { exitCode = -1, stdout, stderr } = await execa(process.execPath, [program, ...argv], options);
  return { exitCode, stdout, stderr };
}

/** What a run with `--json` did, and the document that it printed; null where it printed none. */
export function withReport<T>(outcome: Outcome): Outcome & { readonly report: T } {
  return { ...outcome, report: JSON.parse(outcome.stdout || "null") as T };
}
