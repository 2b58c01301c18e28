import { existsSync } from "node:fs";
import { LabError, messageOf } from "./errors.ts";
import type { Addresses } from "./instances.ts";
import { projectRoot } from "./paths.ts";
import { type Command, type RunOptions, type RunResult, run, runPiped, type StepOptions } from "./run.ts";

const instanceLabel = "org.regwarden.lab.instance";
const projectLabel = "org.regwarden.lab.project";
const specLabel = "org.regwarden.lab.spec";

/** Label of every image that the lab made itself. */
const madeLabel = "org.regwarden.lab";

/** The machine's Docker engine. */
export async function docker(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return run(["docker", ...args] as Command, { quiet: true, ...options });
}

/** A container of the lab, as it is. */
export interface ContainerState {
  readonly status: string;
  /** Hash of what it was made from. */
  readonly spec: string;
  /** Root directory of the clone that made it. */
  readonly project: string;
}

/** `docker create` arguments that say whose a container is and what it was made from. */
export function containerLabels(addresses: Addresses, spec: string): string[] {
  const labels = [
    `${instanceLabel}=${addresses.network}`,
    `${projectLabel}=${projectRoot}`,
    `${specLabel}=${spec}`,
  ];
  return labels.flatMap((label) => ["--label", label]);
}

/** Looks at one container; undefined where there is none. */
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

/** Refuses to touch what another clone of the project runs; what a deleted clone left is free to take. */
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

/** Starts a container; a port that something else listens on is told as what it is. */
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
 * two files looks whole to the engine.
 */
export async function importImage(
  from: Command,
  name: string,
  changes: readonly string[],
  engine: Command = ["docker"],
  options: StepOptions = {},
): Promise<void> {
  await run([...engine, "image", "prune", "--force", "--filter", `label=${madeLabel}`], { quiet: true });
  const flags = [...changes, `LABEL ${madeLabel}=made-from-packages`].flatMap((change) => [
    "--change",
    change,
  ]);
  const { stdout } = await runPiped(from, [...engine, "import", ...flags, "-"], { ...options, quiet: true });
  await run([...engine, "tag", stdout.trim(), name], { quiet: true });
}

/** Removes the versions of a made image that nothing needs any more. */
export async function removeOtherVersions(name: string): Promise<void> {
  const [repository = ""] = name.split(":");
  const { stdout } = await docker(["images", "--format", "{{.Repository}}:{{.Tag}}", repository]);
  const others = stdout.split("\n").filter((other) => other && other !== name);
  for (const other of others) await docker(["rmi", other], { accept: [0, 1] });
}

/**
 * A command that runs inside a container's namespaces. `docker exec` would also join the container's cgroup, which the
 * kernel refuses (EBUSY) once the systemd in it has spread its processes over cgroups of its own.
 */
export async function insideOf(container: string, command: Command): Promise<Command> {
  const { stdout } = await docker(["container", "inspect", "--format", "{{.State.Pid}}", container]);
  const namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid"];
  const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const environment = ["env", "-i", path, "HOME=/root", "LANG=C.UTF-8"];
  return ["nsenter", "--target", stdout.trim(), ...namespaces, "--", ...environment, ...command];
}
