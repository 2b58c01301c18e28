import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { registryHostName } from "../../host/certificates.ts";
import {
  containerLabels,
  containerState,
  docker,
  ensureNetwork,
  removeContainer,
} from "../../machine/docker-client.ts";
import { LabError } from "../../machine/errors.ts";
import { writeAtomically } from "../../machine/files.ts";
import { addressesOf, type Instance } from "../../machine/instances.ts";
import type { StepOptions } from "../../machine/run.ts";
import { clusterDirectory } from "../paths.ts";
import { containerArguments, onlyContainer, type Surroundings } from "./arguments.ts";
import { environmentFile, environmentOf } from "./environment.ts";
import type { PodIdentity, PodObjects, PodSpec } from "./template.ts";
import { makeVolume } from "./volumes.ts";

/** How a pod ended. */
export interface PodResult {
  readonly name: string;
  readonly exitCode: number;
  /** The kernel ended it, because it wanted more memory than its limit. */
  readonly outOfMemory: boolean;
  /** It was ended, because it ran longer than its deadline. */
  readonly late: boolean;
  readonly log: string;
}

/** What neither the template nor its objects say. */
export interface PodSettings extends StepOptions {
  /** As the machine's engine knows it. */
  readonly image: string;
  readonly limitSeconds: number;
  /** Variables that name the cluster's services. @default none */
  readonly services?: ReadonlyMap<string, string>;
}

function podDirectory(instance: Instance, pod: PodIdentity): string {
  return join(clusterDirectory(instance), "pods", pod.name);
}

function prefix(instance: Instance): string {
  return `${addressesOf(instance).network}-pod-`;
}

/**
 * Runs a created container to its end. Its log is followed by a client of its own: one that is attached hands the signal
 * on that ends it at the deadline, and the pod would seem to have ended by itself.
 */
async function runToEnd(
  name: string,
  limitSeconds: number,
  options: StepOptions,
): Promise<Pick<PodResult, "log" | "late">> {
  await docker(["start", name]);
  const settings = { ...options, quiet: false, timeoutSeconds: limitSeconds };
  await docker(["logs", "--follow", name], settings).catch((error: unknown) => {
    if (!(error instanceof LabError) || error.code !== "E_TIMEOUT") throw error;
  });
  const late = (await containerState(name))?.status === "running";
  if (late) await docker(["stop", name]);
  const { stdout, stderr } = await docker(["logs", name]);
  return { log: `${stdout}\n${stderr}`.trim(), late };
}

async function endOf(name: string): Promise<Pick<PodResult, "exitCode" | "outOfMemory">> {
  const format = "{{.State.ExitCode}}|{{.State.OOMKilled}}|{{.State.Error}}";
  const { stdout } = await docker(["container", "inspect", "--format", format, name]);
  const [code = "", outOfMemory, error] = stdout.trim().split("|");
  if (error) throw new LabError("E_COMMAND_FAILED", `${name} could not start: ${error}`);
  return { exitCode: Number(code), outOfMemory: outOfMemory === "true" };
}

async function prepare(
  instance: Instance,
  spec: PodSpec,
  pod: PodIdentity,
  objects: PodObjects,
  { image, services }: Pick<PodSettings, "image" | "services">,
): Promise<string[]> {
  const addresses = addressesOf(instance);
  const directory = podDirectory(instance, pod);
  const around: Surroundings = {
    image,
    container: `${prefix(instance)}${pod.name}`,
    network: addresses.network,
    labels: containerLabels(addresses, image),
    hosts: { [registryHostName]: addresses.hostIp },
    environmentFile: join(directory, "environment"),
    volumes: join(directory, "volumes"),
  };
  const variables = environmentOf(onlyContainer(spec), objects, pod, services);
  const args = containerArguments(spec, pod, variables, around);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  writeAtomically(around.environmentFile, environmentFile(variables), 0o600);
  for (const volume of spec.volumes ?? []) {
    await makeVolume(join(around.volumes, volume.name), volume, objects, spec.securityContext?.fsGroup);
  }
  return args;
}

/** Runs a pod's container once, with an image that the engine has, and leaves nothing of it. */
export async function runPod(
  instance: Instance,
  spec: PodSpec,
  pod: PodIdentity,
  objects: PodObjects,
  settings: PodSettings,
): Promise<PodResult> {
  const name = `${prefix(instance)}${pod.name}`;
  await removeContainer(name);
  try {
    const args = await prepare(instance, spec, pod, objects, settings);
    await ensureNetwork(addressesOf(instance));
    await docker(["create", ...args]);
    const attended = await runToEnd(name, settings.limitSeconds, settings);
    return { name: pod.name, ...attended, ...(await endOf(name)) };
  } finally {
    await removeContainer(name);
    await rm(podDirectory(instance, pod), { recursive: true, force: true });
  }
}

/** Removes what killed runs left. */
export async function removePods(instance: Instance): Promise<void> {
  const format = ["ps", "--all", "--format", "{{.Names}}", "--filter", `name=^${prefix(instance)}`];
  const { stdout } = await docker(format);
  for (const name of stdout.split("\n").filter(Boolean)) await removeContainer(name);
}
