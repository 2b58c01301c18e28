import { existsSync } from "node:fs";
import { LabError, messageOf } from "./errors.ts";
import type { Addresses } from "./instances.ts";
import { projectRoot } from "./paths.ts";
import { type Command, type RunOptions, type RunResult, run, runPiped, type StepOptions } from "./run.ts";

const instanceLabel = "org.regwarden.lab.instance";
const projectLabel = "org.regwarden.lab.project";
const specLabel = "org.regwarden.lab.spec";

/** Label of every image that the lab built itself. */
const builtLabel = "org.regwarden.lab";

/** Runs the Docker client of the machine. */
export async function docker(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return run(["docker", ...args] as Command, { quiet: true, ...options });
}

/** State of a container of the lab. */
export interface ContainerState {
  readonly status: string;
  /** Hash of what it was made from. */
  readonly spec: string;
  /** Root directory of the clone that made it. */
  readonly project: string;
}

/** `docker create` arguments that label a container with its instance, its clone and what it was made from. */
export function containerLabels(addresses: Addresses, spec: string): string[] {
  const labels = [
    `${instanceLabel}=${addresses.network}`,
    `${projectLabel}=${projectRoot}`,
    `${specLabel}=${spec}`,
  ];
  return labels.flatMap((label) => ["--label", label]);
}

/** The state of one container; undefined where there is none. */
export async function containerState(name: string): Promise<ContainerState | undefined> {
  const labels = [projectLabel, specLabel].map((label) => `{{index .Config.Labels "${label}"}}`);
  const format = ["{{.State.Status}}", ...labels].join("|");
  const { stdout, exitCode } = await docker(["container", "inspect", "--format", format, name], {
    accept: [0, 1],
  });
  if (exitCode !== 0) return undefined;
  const [status = "", project = "", spec = ""] = stdout.trim().split("|");
  return { status, spec, project };
}

/** Refuses a container of another clone of the project; one of a clone that was deleted may be taken. */
function refuseForeign(name: string, state: ContainerState): void {
  if (state.project === projectRoot || !existsSync(state.project)) return;
  throw new LabError("E_BUSY", `${name} belongs to ${state.project}`, {
    hint: `Run "npm run lab -- down" there, or use another instance here (REGWARDEN_LAB=bench).`,
  });
}

/** Removes a container with its anonymous volumes; nothing where there is none. Errors: E_BUSY for another clone's. */
export async function removeContainer(name: string): Promise<void> {
  const state = await containerState(name);
  if (state === undefined) return;
  refuseForeign(name, state);
  await docker(["rm", "--force", "--volumes", name]);
}

/** Starts a container. Errors: E_BUSY where something else listens on one of its ports. */
export async function startContainer(name: string): Promise<void> {
  try {
    await docker(["start", name]);
  } catch (error) {
    const taken = /(\d+\.\d+\.\d+\.\d+:\d+).*(?:address already in use|port is already allocated)/.exec(
      messageOf(error),
    );
    if (taken === null) throw error;
    throw new LabError("E_BUSY", `something else listens on ${taken[1]}`, {
      cause: error,
      hint: `Find it (ss -ltnp) and stop it, or use another instance (npm run lab -- --instance bench).`,
    });
  }
}

/** Whether the engine has an image under this name. */
export async function hasImage(name: string): Promise<boolean> {
  const { exitCode } = await docker(["image", "inspect", "--format", "{{.Id}}", name], { accept: [0, 1] });
  return exitCode === 0;
}

/** Makes the instance's network; nothing where it is there. */
export async function ensureNetwork(addresses: Addresses): Promise<void> {
  const { exitCode } = await docker(["network", "inspect", addresses.network], { accept: [0, 1] });
  if (exitCode === 0) return;
  const label = `${instanceLabel}=${addresses.network}`;
  await docker(["network", "create", "--subnet", addresses.subnet, "--label", label, addresses.network]);
}

/** Removes the instance's network; nothing where there is none. */
export async function removeNetwork(addresses: Addresses): Promise<void> {
  const { exitCode } = await docker(["network", "inspect", addresses.network], { accept: [0, 1] });
  if (exitCode === 0) await docker(["network", "rm", addresses.network]);
}

/**
 * Turns a tar stream into an image. It gets its name only when everything has arrived: a stream that was cut between
 * two files is complete to the engine.
 */
export async function importImage(
  from: Command,
  name: string,
  changes: readonly string[],
  engine: Command = ["docker"],
  options: StepOptions = {},
): Promise<void> {
  await run([...engine, "image", "prune", "--force", "--filter", `label=${builtLabel}`], { quiet: true });
  const flags = [...changes, `LABEL ${builtLabel}=built-from-packages`].flatMap((change) => [
    "--change",
    change,
  ]);
  const { stdout } = await runPiped(from, [...engine, "import", ...flags, "-"], { ...options, quiet: true });
  await run([...engine, "tag", stdout.trim(), name], { quiet: true });
}

/** Removes the other versions of an image that the lab built. */
export async function removeOtherVersions(name: string): Promise<void> {
  const [repository = ""] = name.split(":");
  const { stdout } = await docker(["images", "--format", "{{.Repository}}:{{.Tag}}", repository]);
  const others = stdout.split("\n").filter((other) => other && other !== name);
  for (const other of others) await docker(["rmi", other], { accept: [0, 1] });
}
