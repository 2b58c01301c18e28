import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Instance } from "../machine/instances.ts";
import { stateDirectory } from "../machine/paths.ts";

/** Directory of the instance's cluster and monitoring: certificates, data, process ids and logs. */
export function clusterDirectory(instance: Instance): string {
  return join(stateDirectory(instance), "cluster");
}

/** Whether the instance has a cluster: from the first `up` with one until `down`. */
export function hasCluster(instance: Instance): boolean {
  return existsSync(clusterDirectory(instance));
}

/** Gives the instance a cluster from the next `up` on. */
export function requestCluster(instance: Instance): void {
  mkdirSync(clusterDirectory(instance), { recursive: true, mode: 0o700 });
}

/** File through which kubectl, the engine and the lab reach the instance's API server. Only its owner reads it. */
/** Its only context. */
export function kubeconfigContext(instance: Instance): string {
  return `regwarden-${instance}`;
}

export function kubeconfigFile(instance: Instance): string {
  return join(clusterDirectory(instance), "kubeconfig");
}
