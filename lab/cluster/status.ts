import type { StatusRow } from "../commands/status.ts";
import type { Instance } from "../machine/instances.ts";
import { answersAt, daemonPid } from "./daemon.ts";
import { urlsOf } from "./endpoints.ts";
import { clientOf } from "./kubernetes-client.ts";
import { clusterDaemons } from "./teardown.ts";

/** Whether each daemon answers, by name. */
async function answering(instance: Instance): Promise<Readonly<Record<string, boolean>>> {
  const urls = urlsOf(instance);
  const [prometheus, pushgateway, etcd, apiServer] = await Promise.all([
    answersAt(`${urls.prometheus}/-/ready`),
    answersAt(`${urls.pushgateway}/-/ready`),
    answersAt(`${urls.etcd}/health`),
    clientOf(instance)?.isReady() ?? false,
  ]);
  return { prometheus, pushgateway, etcd, "kube-apiserver": apiServer };
}

/** One row for each program of the instance's cluster and monitoring. */
export async function clusterRows(instance: Instance): Promise<StatusRow[]> {
  const answers = await answering(instance);
  const urls: Readonly<Record<string, string>> = {
    ...urlsOf(instance),
    "kube-apiserver": urlsOf(instance).apiServer,
  };
  return clusterDaemons(instance).map((daemon) => {
    const pid = daemonPid(daemon);
    const isGood = pid !== undefined && answers[daemon.name] === true;
    const running = `${urls[daemon.name]}, process ${pid}${isGood ? "" : ", does not answer"}`;
    return { name: daemon.name, state: pid === undefined ? "does not run" : running, isGood };
  });
}
