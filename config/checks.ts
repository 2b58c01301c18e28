import { clusterFaults } from "./cluster-checks.ts";
import type { Fault } from "./faults.ts";
import type { Settings } from "./schema.ts";

/** Rules that join several keys. They see only what the schema found to have the right types. */
export function crossFaults(settings: Partial<Settings>): Fault[] {
  return [
    ...portFaults(settings),
    ...cacheNameFaults(settings.caches ?? []),
    ...hostKeyFaults(settings),
    ...clusterFaults(settings.cluster),
  ];
}

interface PortUse {
  readonly key: string;
  readonly port: number;
}

function portFaults(settings: Partial<Settings>): Fault[] {
  const firstUse = new Map<number, string>();
  return portUses(settings).flatMap(({ key, port }) => {
    const other = firstUse.get(port);
    if (other === undefined) {
      firstUse.set(port, key);
      return [];
    }
    const rule = `a port of its own: regwarden:${other} has the same`;
    return [{ key, value: String(port), rule, example: String(freePort(settings)) }];
  });
}

// The SSH port comes first: a clash then blames the port that can be moved.
function portUses({ host, private: own, caches = [], ui, metrics }: Partial<Settings>): PortUse[] {
  return [
    ...(host ? [{ key: "host.sshPort", port: host.sshPort }] : []),
    ...(own ? [{ key: "private.port", port: own.port }] : []),
    ...caches.map(({ port }, at) => ({ key: `caches[${at}].port`, port })),
    ...(ui?.enabled ? [{ key: "ui.port", port: ui.port }] : []),
    ...(metrics ? [{ key: "metrics.port", port: metrics.port }] : []),
  ];
}

function freePort(settings: Partial<Settings>): number {
  const taken = new Set(portUses(settings).map(({ port }) => port));
  let candidate = 5060;
  while (taken.has(candidate)) candidate += 10;
  return candidate;
}

function cacheNameFaults(caches: Settings["caches"]): Fault[] {
  return caches.flatMap(({ name }, at) => {
    const first = caches.findIndex((cache) => cache.name === name);
    if (first === at) return [];
    const rule = `a name of its own: regwarden:caches[${first}].name is the same`;
    return [{ key: `caches[${at}].name`, value: JSON.stringify(name), rule, example: `${name}-2` }];
  });
}

function hostKeyFaults({ host, secretsSource }: Partial<Settings>): Fault[] {
  if (host === undefined || host.hostKey !== undefined || secretsSource !== "config") return [];
  return [
    {
      key: "host.hostKey",
      value: "(missing)",
      rule: "the VM's public host key: no connection is made to a host that nobody has verified",
      example: 'on the VM: cut -d" " -f1,2 /etc/ssh/ssh_host_ed25519_key.pub',
    },
  ];
}
