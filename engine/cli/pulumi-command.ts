import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import automation, { type PulumiCommand } from "@pulumi/pulumi/automation/index.js";
import * as v from "valibot";

/** Where the CLI keeps its versions, plugins and credentials. */
function pulumiHome(): string {
  return process.env.PULUMI_HOME ?? join(homedir(), ".pulumi");
}

/** Directory with a note for each CLI process that changes this stack. See `lock/run-notes.ts`. */
export function runsDirectory(stack: string): string {
  return join(pulumiHome(), "regwarden-runs", encodeURIComponent(stack));
}

/**
 * The CLI, started through `bin/pulumi` beside this file. npm's `pulumi` is a script that passes no signal on, so a run
 * that is cancelled would go on without its engine: the program that it installs is started instead.
 *
 * Errors: throws where there is no CLI and it could not be downloaded.
 */
export async function pulumiCommand(): Promise<PulumiCommand> {
  process.env.REGWARDEN_PULUMI = pinnedCli() ?? (await otherCli());
  process.env.REGWARDEN_CLI_TMPDIR ??= temporaryDirectory();
  return await automation.PulumiCommand.get({ root: import.meta.dirname });
}

/**
 * For the temporary files of the CLI and its plugins; goes when this process ends. The kubernetes plugin leaves a copy of
 * the kubeconfig, and what is secret in it, in each run.
 *
 * Source: pulumi-kubernetes provider/pkg/provider/util.go, writeKubeconfigToFile.
 */
function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "regwarden-cli-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** For an operation that takes the stack's lock: from here on each CLI process leaves a note of itself. */
export function noteRuns(stack: string): void {
  mkdirSync(runsDirectory(stack), { recursive: true });
  process.env.REGWARDEN_RUNS = runsDirectory(stack);
}

const packageFile = v.object({ devDependencies: v.object({ pulumi: v.string() }) });

/** The version that package.json pins, where npm's `pulumi` and the lab install it. */
function pinnedCli(): string | undefined {
  const path = join(import.meta.dirname, "../../package.json");
  const { pulumi: version } = v.parse(packageFile, JSON.parse(readFileSync(path, "utf8"))).devDependencies;
  return executable(join(pulumiHome(), "versions", version, "bin/pulumi"));
}

/** npm's script installs the pinned version when it is asked for its own; anything else on PATH is the CLI itself. */
async function otherCli(): Promise<string> {
  const { command } = await automation.PulumiCommand.get();
  const found = (process.env.PATH ?? "")
    .split(delimiter)
    .map((directory) => executable(join(directory, command)))
    .find((path) => path !== undefined);
  return pinnedCli() ?? found ?? command;
}

function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
}
