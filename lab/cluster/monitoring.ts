import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ensureNetwork } from "../machine/docker-client.ts";
import { readText, writeAtomically } from "../machine/files.ts";
import { addressesOf, type Instance } from "../machine/instances.ts";
import { findCommand } from "../machine/paths.ts";
import type { StepOptions } from "../machine/run.ts";
import { answersAt, type Daemon, type DaemonId, ensureDaemon } from "./daemon.ts";
import { machinePorts, urlsOf } from "./endpoints.ts";
import { clusterDirectory } from "./paths.ts";
import { prometheusConfig } from "./prometheus-config.ts";
import { rulesDirectory } from "./rules-loader.ts";

function directoryOf(instance: Instance, name: string): string {
  return join(clusterDirectory(instance), name);
}

function configFile(instance: Instance): string {
  return join(directoryOf(instance, "prometheus"), "prometheus.yaml");
}

function pushgateway(instance: Instance): Daemon {
  const directory = directoryOf(instance, "pushgateway");
  const urls = urlsOf(instance);
  const listen = [urls.pushgateway, urls.pushgatewayForPods].map(
    (url) => `--web.listen-address=${new URL(url).host}`,
  );
  const keep = [`--persistence.file=${directory}/metrics`, "--persistence.interval=10s"];
  return {
    name: "pushgateway",
    directory,
    command: [findCommand("prometheus-pushgateway") ?? "prometheus-pushgateway", ...listen, ...keep],
    answers: () => answersAt(`${urls.pushgateway}/-/ready`),
  };
}

function prometheus(instance: Instance): Daemon {
  const directory = directoryOf(instance, "prometheus");
  const { prometheus: url } = urlsOf(instance);
  const flags = {
    "config.file": configFile(instance),
    "storage.tsdb.path": `${directory}/data`,
    "storage.tsdb.retention.time": "2d",
    "storage.tsdb.retention.size": "256MB",
    "web.listen-address": `${addressesOf(instance).address}:${machinePorts.prometheus}`,
  };
  const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  return {
    name: "prometheus",
    directory,
    command: [findCommand("prometheus") ?? "prometheus", ...args, "--web.enable-lifecycle"],
    answers: () => answersAt(`${url}/-/ready`),
  };
}

/** Writes the configuration. Returns whether it has changed. */
function configure(instance: Instance): boolean {
  const text = prometheusConfig(instance, rulesDirectory(instance));
  const file = configFile(instance);
  if (existsSync(file) && readText(file) === text.trimEnd()) return false;
  writeAtomically(file, text);
  return true;
}

/** Runs Pushgateway and Prometheus of the instance. */
export async function ensureMonitoring(instance: Instance, options: StepOptions = {}): Promise<void> {
  // Pods push to the gateway of the instance's network, so that address must exist first.
  await ensureNetwork(addressesOf(instance));
  await ensureDaemon(pushgateway(instance), options);
  await mkdir(rulesDirectory(instance), { recursive: true });
  const isNew = configure(instance);
  const started = await ensureDaemon(prometheus(instance), options);
  if (isNew && !started) await fetch(`${urlsOf(instance).prometheus}/-/reload`, { method: "POST" });
}

/** The two daemons, in the order in which they must end. */
export function monitoringDaemons(instance: Instance): DaemonId[] {
  return ["prometheus", "pushgateway"].map((name) => ({ name, directory: directoryOf(instance, name) }));
}
