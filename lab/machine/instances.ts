import { defaultCaches } from "../../contract/registries.ts";
import { LabError } from "./errors.ts";

/** Names of the instances. Each has its own addresses, so all of them can run beside each other. */
export const instances = ["lab", "e2e", "test", "bench"] as const;
export type Instance = (typeof instances)[number];

type CacheName = (typeof defaultCaches)[number]["name"];
const cachePorts = Object.fromEntries(defaultCaches.map(({ name, port }) => [name, port]));

/** Ports of every instance, on its own loopback address. */
export const ports = {
  ssh: 2222,
  metrics: 5001,
  private: 5050,
  ui: 8080,
  ...(cachePorts as Readonly<Record<CacheName, number>>),
} as const;

/** What one instance occupies on the machine: its addresses, and the names of what it owns in the Docker engine. */
export interface Addresses {
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
export function addressesOf(instance: Instance): Addresses {
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
