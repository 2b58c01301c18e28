import type { Instance } from "../machine/instances.ts";
import type { StepOptions } from "../machine/run.ts";
import { apiServerDaemons } from "./api-server.ts";
import { answersAt, type DaemonId, daemonPid, stopDaemon } from "./daemon.ts";
import { urlsOf } from "./endpoints.ts";
import { clientOf } from "./kubernetes-client.ts";
import { monitoringDaemons } from "./monitoring.ts";

/** The daemons of the instance's cluster and monitoring, in the order in which they must end. */
export function clusterDaemons(instance: Instance): DaemonId[] {
  return [...monitoringDaemons(instance), ...apiServerDaemons(instance)];
}

/** Stops the instance's cluster and monitoring; nothing where there are none. Their data lie in the state directory. */
export async function stopCluster(instance: Instance, options: StepOptions = {}): Promise<void> {
  for (const daemon of clusterDaemons(instance)) await stopDaemon(daemon, options);
}

/** State of one daemon. */
export interface DaemonState {
  readonly name: string;
  readonly url: string;
  /** Process id; undefined while it does not run. */
  readonly pid: number | undefined;
  readonly answers: boolean;
}

/** The state of every daemon of the instance's cluster and monitoring. */
export async function daemonStates(instance: Instance): Promise<DaemonState[]> {
  const urls = urlsOf(instance);
  const checks: Readonly<Record<string, { url: string; answers: () => Promise<boolean> }>> = {
    prometheus: { url: urls.prometheus, answers: () => answersAt(`${urls.prometheus}/-/ready`) },
    pushgateway: { url: urls.pushgateway, answers: () => answersAt(`${urls.pushgateway}/-/ready`) },
    etcd: { url: urls.etcd, answers: () => answersAt(`${urls.etcd}/health`) },
    "kube-apiserver": { url: urls.apiServer, answers: async () => clientOf(instance)?.isReady() ?? false },
  };
  return Promise.all(
    clusterDaemons(instance).map(async (daemon) => {
      const { url = "", answers } = checks[daemon.name] ?? {};
      return { name: daemon.name, url, pid: daemonPid(daemon), answers: (await answers?.()) ?? false };
    }),
  );
}
