import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { runCommandLine } from "../../scripts/cli/run.ts";

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
  const exitCode = await runCommandLine(argv, {
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
