import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "./errors.ts";
import { readText } from "./files.ts";
import { withLock } from "./lock.ts";
import { cacheDirectory, findCommand, searchPath } from "./paths.ts";
import { run, type StepOptions, succeeds } from "./run.ts";
import { waitUntil } from "./wait.ts";

/** What started the machine's Docker engine. */
export type EngineOwner = "the machine" | "the lab";

function files(): { readonly directory: string; readonly log: string; readonly pid: string } {
  const directory = join(cacheDirectory(), "engine");
  return { directory, log: join(directory, "dockerd.log"), pid: join(directory, "dockerd.pid") };
}

/** Whether a Docker engine answers. Some machines have a client alone. */
export async function engineAnswers(): Promise<boolean> {
  return succeeds(["docker", "version", "--format", "{{.Server.Version}}"], {
    quiet: true,
    timeoutSeconds: 10,
  });
}

/** Process id of the engine that the lab started and that still runs. dockerd itself writes the file. */
function ownEngine(): number | undefined {
  const pid = readText(files().pid);
  if (!pid) return undefined;
  const commandLine = readText(`/proc/${pid}/cmdline`);
  return commandLine?.includes(files().pid) ? Number(pid) : undefined;
}

/** Starts dockerd detached, so that neither Ctrl-C nor the end of this process stops it. */
function startEngine(): void {
  const { directory, log, pid } = files();
  mkdirSync(directory, { recursive: true });
  // Left by an engine that was killed: the process id may be another process's by now, and dockerd would not start.
  rmSync(pid, { force: true });
  const output = openSync(log, "w");
  const env = { ...process.env, PATH: searchPath() };
  const dockerd = spawn("dockerd", ["--pidfile", pid], {
    detached: true,
    stdio: ["ignore", output, output],
    env,
  });
  dockerd.on("error", () => undefined);
  dockerd.unref();
}

function refuse(): never {
  throw new LabError("E_NOT_ROOT", "no Docker engine answers, and only root can start one", {
    hint: "Start it (sudo systemctl start docker), or let this account use it (group docker), or run the lab as root.",
  });
}

async function start(options: StepOptions): Promise<void> {
  if (await engineAnswers()) return;
  if (process.getuid?.() !== 0) refuse();
  if (
    existsSync("/run/systemd/system") &&
    (await succeeds(["systemctl", "cat", "docker.service"], { quiet: true }))
  ) {
    options.reporter?.say("starting the machine's docker.service");
    await run(["systemctl", "start", "docker"], options);
  } else {
    if (findCommand("dockerd") === undefined) throw new LabError("E_MISSING", "the machine has no dockerd");
    options.reporter?.say("starting dockerd");
    startEngine();
  }
  const hint = `Read ${files().log}, repair what it names, and run this again.`;
  await waitUntil("an answer of the Docker engine", 60, engineAnswers).catch((cause: unknown) => {
    throw new LabError("E_TIMEOUT", "the Docker engine was started and does not answer", {
      cause,
      hint,
    });
  });
}

/** Uses the Docker engine that runs; starts one where none does. */
export async function ensureEngine(options: StepOptions = {}): Promise<EngineOwner> {
  if (!(await engineAnswers()))
    await withLock(join(cacheDirectory(), "locks/engine"), () => start(options), true);
  return ownEngine() === undefined ? "the machine" : "the lab";
}

async function hasContainers(): Promise<boolean> {
  const { stdout } = await run(["docker", "ps", "--all", "--quiet"], { quiet: true });
  return stdout.trim() !== "";
}

/** Stops the engine, if the lab started it and nothing at all is left in it. */
export async function stopOwnEngine(options: StepOptions = {}): Promise<boolean> {
  const pid = ownEngine();
  if (pid === undefined || (await hasContainers())) return false;
  options.reporter?.say(`stopping dockerd (process ${pid})`);
  process.kill(pid, "SIGTERM");
  await waitUntil("the end of dockerd", 60, async () => ownEngine() === undefined);
  return true;
}
