import type { Instance } from "../machine/instances.ts";
import type { StepOptions } from "../machine/run.ts";
import { apiServerDaemons } from "./api-server.ts";
import { type DaemonId, stopDaemon } from "./daemon.ts";
import { monitoringDaemons } from "./monitoring.ts";

/** Everything of the instance's cluster that runs on the machine itself. */
export function clusterDaemons(instance: Instance): DaemonId[] {
  return [...monitoringDaemons(instance), ...apiServerDaemons(instance)];
}

/** Ends the instance's cluster and monitoring; nothing where there are none. Their data go with the state directory. */
export async function stopCluster(instance: Instance, options: StepOptions = {}): Promise<void> {
  for (const daemon of clusterDaemons(instance)) await stopDaemon(daemon, options);
}
