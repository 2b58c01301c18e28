import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { LabError } from "../machine/errors.ts";
import { readText, writeAtomically } from "../machine/files.ts";
import { searchPath } from "../machine/paths.ts";
import type { Command, StepOptions } from "../machine/run.ts";
import { waitUntil } from "../machine/wait.ts";

/** A program that goes on running when the lab's own process has ended. */
export interface Daemon {
  readonly name: string;
  /** Holds process id, log and data; every command names it, so a process id that was given away is never taken for ours. */
  readonly directory: string;
  readonly command: Command;
  readonly answers: () => Promise<boolean>;
}

/** What is needed to find and end one. */
export type DaemonId = Pick<Daemon, "name" | "directory">;

const startLimitSeconds = 60;
const endLimitSeconds = 20;

export function daemonFiles({ name, directory }: DaemonId): { readonly pid: string; readonly log: string } {
  return { pid: join(directory, `${name}.pid`), log: join(directory, `${name}.log`) };
}

/** Arguments of a running process, or undefined; a process that has ended and was not waited for has none. */
function argumentsOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return text === "" ? undefined : text.split("\0").slice(0, -1);
  } catch {
    return undefined;
  }
}

/** Whether these are the arguments of the daemon, whatever options it was started with. */
export function belongsTo(daemon: DaemonId, args: readonly string[] | undefined): boolean {
  return args?.some((argument) => argument.includes(`${daemon.directory}/`)) ?? false;
}

/** Process ids of the machine's processes. */
function processIds(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Whether a process is the daemon itself, and not a program that reads its log. */
function isDaemon(daemon: DaemonId, pid: number): boolean {
  const args = argumentsOf(pid);
  return belongsTo(daemon, args) && basename(args?.[0] ?? "").endsWith(daemon.name);
}

/**
 * Process id of the daemon, if it runs: by its file, and verified by what that process was started with. A run that was
 * killed between the start and the writing of the file, or a file that was removed, leaves a daemon all the same: it would
 * hold the address for ever.
 */
export function daemonPid(daemon: DaemonId): number | undefined {
  const pid = Number(readText(daemonFiles(daemon).pid));
  if (pid > 0 && belongsTo(daemon, argumentsOf(pid))) return pid;
  return processIds().find((candidate) => isDaemon(daemon, candidate));
}

/** Starts the program detached, so that neither Ctrl-C nor the end of this process stops it. */
async function start(daemon: Daemon): Promise<void> {
  const { pid, log } = daemonFiles(daemon);
  mkdirSync(daemon.directory, { recursive: true, mode: 0o700 });
  const output = openSync(log, "w");
  const [file, ...args] = daemon.command;
  const child = spawn(file, args, {
    detached: true,
    stdio: ["ignore", output, output],
    env: { ...process.env, PATH: searchPath() },
  });
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  await Promise.race([failed, new Promise((resolve) => child.once("spawn", resolve))]);
  child.unref();
  writeAtomically(pid, `${child.pid}\n`);
}

function lastLines(daemon: Daemon): string {
  const { log } = daemonFiles(daemon);
  return existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n").slice(-3).join("\n") : "";
}

async function becomesReady(daemon: Daemon): Promise<void> {
  const hasEnded = () => daemonPid(daemon) === undefined;
  const ready = async () => hasEnded() || daemon.answers();
  const hint = `Read ${daemonFiles(daemon).log}; another program on the same address shows in "ss -ltnp".`;
  await waitUntil(`an answer of ${daemon.name}`, startLimitSeconds, ready).catch((cause: unknown) => {
    throw new LabError("E_TIMEOUT", `${daemon.name} runs and does not answer`, { cause, hint });
  });
  if (!hasEnded()) return;
  throw new LabError("E_COMMAND_FAILED", `${daemon.name} ended at once: ${lastLines(daemon)}`, { hint });
}

/** Has the daemon running with exactly this command and answering. Returns whether it had to be started. */
export async function ensureDaemon(daemon: Daemon, options: StepOptions = {}): Promise<boolean> {
  const pid = daemonPid(daemon);
  // Without its file others may be gone too: it answers for a while and ends when it misses them.
  const isRecorded = pid !== undefined && Number(readText(daemonFiles(daemon).pid)) === pid;
  const isCurrent = isRecorded && argumentsOf(pid)?.join("\0") === daemon.command.join("\0");
  if (isCurrent && (await daemon.answers())) return false;
  await stopDaemon(daemon, options);
  options.reporter?.say(`starting ${daemon.name}`);
  await start(daemon);
  await becomesReady(daemon);
  return true;
}

/** Ends the daemon; nothing where it does not run. */
export async function stopDaemon(daemon: DaemonId, options: StepOptions = {}): Promise<void> {
  const pid = daemonPid(daemon);
  if (pid !== undefined) {
    options.reporter?.say(`stopping ${daemon.name} (process ${pid})`);
    process.kill(pid, "SIGTERM");
    const ended = async () => daemonPid(daemon) === undefined;
    await waitUntil(`the end of ${daemon.name}`, endLimitSeconds, ended).catch(() => {
      if (daemonPid(daemon) === pid) process.kill(pid, "SIGKILL");
    });
    await waitUntil(`the end of ${daemon.name}`, endLimitSeconds, ended);
  }
  await rm(daemonFiles(daemon).pid, { force: true });
}

/** Whether a URL answers with success. */
export async function answersAt(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    async (response) => {
      await response.body?.cancel();
      return response.ok;
    },
    () => false,
  );
}
