import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { LabError } from "./errors.ts";

/** Names of the instances. Each has its own addresses, so all of them can run beside each other. */
export const instances = ["lab", "e2e", "test", "bench"] as const;
export type Instance = (typeof instances)[number];

/** Ports of every instance, on its own loopback address. */
export const ports = {
  ssh: 2222,
  dockerhub: 5000,
  metrics: 5001,
  ghcr: 5010,
  quay: 5020,
  k8s: 5030,
  kyverno: 5040,
  private: 5050,
  ui: 8080,
} as const;

/** Where one instance lives on the machine: addresses, and the names of what it owns in the Docker engine. */
export interface Place {
  /** Loopback address that all its ports are published on. */
  readonly address: string;
  readonly network: string;
  readonly subnet: string;
  readonly hostContainer: string;
  readonly hostIp: string;
  /** Volume with the nested engine's data. */
  readonly hostVolume: string;
  readonly upstreamContainer: string;
  readonly upstreamIp: string;
}

/** The project's root directory. */
export const projectRoot = resolve(import.meta.dirname, "../..");

/** The project's own Node, whatever the machine's is. */
export const nodeBinary = join(projectRoot, "node_modules/.bin/node");

/** The stand-in for the command plugin, run by {@link nodeBinary}. */
export const commandPluginProgram = join(projectRoot, "lab/machine/command-plugin/main.ts");

/** The instance that REGWARDEN_LAB names. */
export function currentInstance(environment: NodeJS.ProcessEnv = process.env): Instance {
  const name = environment.REGWARDEN_LAB || "lab";
  const known = instances.find((instance) => instance === name);
  if (known === undefined) {
    throw new LabError("E_USAGE", `REGWARDEN_LAB is "${name}"; allowed: ${instances.join(", ")}`);
  }
  return known;
}

/** Addresses and names of an instance. */
export function placeOf(instance: Instance): Place {
  const number = instances.indexOf(instance) + 1;
  const network = `172.31.${70 + number}`;
  return {
    address: `127.77.0.${number}`,
    network: `regwarden-${instance}`,
    subnet: `${network}.0/24`,
    hostContainer: `regwarden-${instance}-host`,
    hostIp: `${network}.20`,
    hostVolume: `regwarden-${instance}-docker`,
    upstreamContainer: `regwarden-${instance}-upstream`,
    upstreamIp: `${network}.10`,
  };
}

/** What is expensive to make and the same for every clone and instance: toolchain, root file system, images. */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), ".cache"), "regwarden");
}

/** What belongs to one instance: keys, certificates, account, stack state, logs. */
export function stateDirectory(instance: Instance): string {
  return join(projectRoot, ".lab", instance);
}

/** The environment's PATH with the project's own programs first, as npm scripts see it. */
export function searchPath(environment: NodeJS.ProcessEnv = process.env): string {
  const own = join(projectRoot, "node_modules/.bin");
  const rest = (environment.PATH ?? "")
    .split(delimiter)
    .filter((directory) => directory && directory !== own);
  for (const directory of ["/usr/local/sbin", "/usr/sbin", "/sbin"]) {
    if (!rest.includes(directory)) rest.push(directory);
  }
  return [own, ...rest].join(delimiter);
}

/** Full path of a command, or undefined; system directories count even where PATH lacks them. */
export function findCommand(command: string, path: string = searchPath()): string | undefined {
  return path
    .split(delimiter)
    .map((directory) => join(directory, command))
    .find((candidate) => existsSync(candidate));
}
