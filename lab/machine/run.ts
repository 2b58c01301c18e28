import { execa, type Options } from "execa";
import { LabError } from "./errors.ts";
import { searchPath } from "./paths.ts";

/** Where a step reports what it does. Every line goes to the step's log; the last one is shown beside the step. */
export interface Reporter {
  say(line: string): void;
}

/** What every function that may take long accepts. */
export interface StepOptions {
  readonly reporter?: Reporter;
}

export interface RunOptions extends StepOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Text or bytes for standard input. */
  readonly input?: string | Uint8Array;
  readonly timeoutSeconds?: number;
  /** Exit codes that are no failure. @default [0] */
  readonly accept?: readonly number[];
  /** Do not report the output: it is data, or a secret. @default false */
  readonly quiet?: boolean;
  /** Kill the command when this process dies, however it dies. @default false */
  readonly dieWithParent?: boolean;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** A command and its arguments. */
export type Command = readonly [file: string, ...args: string[]];

/** The command, arranged so that the kernel kills it when its parent dies. */
function tied(command: Command, dieWithParent: boolean | undefined): Command {
  return dieWithParent ? ["setpriv", "--pdeathsig", "KILL", "--", ...command] : command;
}

function execaOptions(options: RunOptions): Options {
  const report = function* (line: unknown) {
    if (!options.quiet) options.reporter?.say(String(line));
    yield line;
  };
  return {
    env: { PATH: searchPath(), ...options.env },
    reject: false,
    stdout: report,
    stderr: report,
    ...(options.input === undefined ? { stdin: "ignore" } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.timeoutSeconds === undefined ? {} : { timeout: options.timeoutSeconds * 1000 }),
  };
}

interface Ended {
  readonly exitCode?: number | undefined;
  readonly timedOut?: boolean;
  readonly originalMessage?: string | undefined;
  readonly stdout?: unknown;
  readonly stderr?: unknown;
}

function failure(command: Command, ended: Ended, options: RunOptions): LabError {
  const shown = command.join(" ").slice(0, 300);
  if (ended.timedOut) {
    return new LabError("E_TIMEOUT", `"${shown}" did not end within ${options.timeoutSeconds} seconds`);
  }
  const text = options.quiet ? String(ended.stderr ?? "") : String(ended.stderr || ended.stdout || "");
  const lastLines = text.trim().split("\n").slice(-3).join("\n");
  const reason =
    ended.exitCode === undefined ? (ended.originalMessage ?? "killed") : `exit code ${ended.exitCode}`;
  return new LabError(
    "E_COMMAND_FAILED",
    `"${shown}" failed (${reason})${lastLines ? `: ${lastLines}` : ""}`,
  );
}

/**
 * Runs a command to its end.
 *
 * Errors: E_COMMAND_FAILED for an exit code that is not accepted, with the last lines of its output; E_TIMEOUT.
 */
export async function run(command: Command, options: RunOptions = {}): Promise<RunResult> {
  const [file, ...args] = tied(command, options.dieWithParent);
  const ended = await execa(file, args, execaOptions(options));
  const accepted = options.accept ?? [0];
  if (ended.exitCode === undefined || !accepted.includes(ended.exitCode))
    throw failure(command, ended, options);
  return { stdout: String(ended.stdout ?? ""), stderr: String(ended.stderr ?? ""), exitCode: ended.exitCode };
}

/** Whether a command ends with exit code 0; one that cannot be started does not. */
export async function succeeds(command: Command, options: RunOptions = {}): Promise<boolean> {
  const [file, ...args] = tied(command, options.dieWithParent);
  const ended = await execa(file, args, { ...execaOptions({ timeoutSeconds: 30, ...options }) });
  return ended.exitCode === 0;
}

/** Runs `from | to` without holding the data in memory; the output of `to` is the result. */
export async function runPiped(from: Command, to: Command, options: RunOptions = {}): Promise<RunResult> {
  const shared = execaOptions(options);
  const source = execa(from[0], from.slice(1), { ...shared, stdout: "pipe", buffer: { stdout: false } });
  const ended = await source.pipe(to[0], to.slice(1), { ...shared, stdin: "pipe" });
  const first = await source;
  if (first.exitCode !== 0) throw failure(from, first, options);
  if (ended.exitCode !== 0) throw failure(to, ended, options);
  return { stdout: String(ended.stdout ?? ""), stderr: String(ended.stderr ?? ""), exitCode: 0 };
}
