import { existsSync } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { stopCluster } from "../cluster/daemons.ts";
import { removePods } from "../cluster/pods/container.ts";
import { removeHost } from "../host/host.ts";
import { removeUpstream } from "../images/upstream.ts";
import { docker, removeNetwork, removeOtherVersions } from "../machine/docker-client.ts";
import { ensureEngine, stopOwnEngine } from "../machine/docker-engine.ts";
import { addressesOf, type Instance } from "../machine/instances.ts";
import { cacheDirectory, findCommand, stateDirectory } from "../machine/paths.ts";
import type { StepOptions } from "../machine/run.ts";
import { faint, print } from "../machine/screen.ts";
import { endOrphanedDeployment } from "../stack/deployment.ts";
import { stackFile } from "../stack/environment.ts";
import { exitCodes, type LabArgs } from "./args.ts";

async function removeContainers(instance: Instance, options: StepOptions): Promise<void> {
  await ensureEngine(options);
  options.reporter?.say("removing containers, volumes and network");
  await removePods(instance);
  await removeHost(instance);
  await removeUpstream(instance);
  await removeNetwork(addressesOf(instance));
}

/** Removes the images that the lab built or imported from the machine's engine. */
async function removeImages(): Promise<void> {
  for (const repository of ["regwarden-host", "regwarden-registry", "regwarden-node"])
    await removeOtherVersions(`${repository}:none`);
}

async function removeState(instance: Instance): Promise<void> {
  const directory = stateDirectory(instance);
  await rm(directory, { recursive: true, force: true });
  await rm(stackFile(instance), { force: true });
  const parent = dirname(directory);
  if (existsSync(parent) && (await readdir(parent)).length === 0) await rmdir(parent);
}

async function anyContainerLeft(): Promise<boolean> {
  const { stdout } = await docker(["ps", "--all", "--quiet", "--filter", "name=^regwarden-"]);
  return stdout.trim() !== "";
}

/**
 * Removes an instance: cluster, containers, volumes, network, stack and state. The Docker engine stops when the lab had
 * started it and no instance is left. The cache stays, unless `cache` is set and no other instance needs it.
 */
export async function removeInstance(
  instance: Instance,
  cache: boolean,
  options: StepOptions = {},
): Promise<void> {
  await endOrphanedDeployment(instance, options);
  await stopCluster(instance, options);
  const hasEngine = findCommand("dockerd") !== undefined;
  if (hasEngine) await removeContainers(instance, options);
  await removeState(instance);
  const removesCache = cache && !(hasEngine && (await anyContainerLeft()));
  if (removesCache && hasEngine) await removeImages();
  if (hasEngine) await stopOwnEngine(options);
  if (removesCache) await rm(cacheDirectory(), { recursive: true, force: true });
  else if (cache) options.reporter?.say("another instance runs: the cache stays");
}

/** Removes an instance and prints what happens. Returns the exit code. */
export async function down({ instance, cache }: LabArgs): Promise<number> {
  await removeInstance(instance, cache, { reporter: { say: (line) => print(faint(line)) } });
  print(`Instance ${instance} is removed${cache ? "" : `; ${cacheDirectory()} stays`}.`);
  return exitCodes.ok;
}
