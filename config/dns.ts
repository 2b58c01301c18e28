import * as v from "valibot";
import { vmName } from "../contract/dns.ts";
import { type Fault, sameNameFaults } from "./faults.ts";
import { dnsLabel, dnsName, ipv4, port } from "./formats.ts";
import { described, example, withDefault } from "./setting.ts";
import { address, hostKey, proxy, user } from "./ssh-address.ts";

/** Which DNS servers hosts ask: the VM, and others that the stack manages nothing else of. */

/** What the C library reads of a resolv.conf. Source: resolv.conf(5), MAXNS. */
const MOST_SERVERS = 3;

const servers = described(
  "at least one IPv4 address, the preferred one first",
  v.pipe(v.array(example(ipv4, "10.0.20.1")), v.minLength(1)),
);
const searchDomains = described("a list of DNS names", v.array(example(dnsName, "example.lan")));
const netplan = described(
  "the id of a device in netplan's files: plain letters, digits, dots, dashes and underscores, at most 15",
  v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/)),
);
const kind = described(
  "resolved (systemd-resolved) or resolvConf (plain /etc/resolv.conf, for a host without resolved)",
  v.picklist(["resolved", "resolvConf"]),
);

const host = v.strictObject({
  name: example(dnsLabel, "proxmox"),
  address: example(address, "192.0.2.10"),
  sshPort: withDefault(port, 22),
  sshUser: withDefault(user, "root"),
  hostKey: example(hostKey, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI..."),
  proxy: v.optional(proxy),
  kind: withDefault(kind, "resolved"),
  servers,
  searchDomains: v.optional(searchDomains, []),
  netplan: v.optional(example(netplan, "eth0")),
});

const dns = v.strictObject({
  servers: v.optional(servers),
  searchDomains: v.optional(searchDomains, []),
  netplan: v.optional(example(netplan, "eth0")),
  testName: v.optional(example(dnsName, "registry.example.com")),
  hosts: v.optional(described("a list of hosts", v.array(host)), []),
});

export const dnsEntries = { dns: v.optional(dns) };

type DnsOutput = v.InferOutput<typeof dns>;

/** `vmAddress`: of the VM, whose servers stand in `dns.servers` and in no entry of `dns.hosts`. */
export function dnsFaults(settings: DnsOutput | undefined, vmAddress: string | undefined): Fault[] {
  if (settings === undefined) return [];
  const { hosts } = settings;
  return [
    ...vmFaults(settings),
    ...sameServerFaults("dns.servers", settings.servers ?? []),
    ...sameNameFaults("dns.hosts", hosts),
    ...sameAddressFaults(hosts),
    ...hosts.flatMap((each, at) => hostFaults(each, `dns.hosts[${at}]`, vmAddress)),
  ];
}

function vmFaults({ servers: own, searchDomains: domains, netplan: device, hosts }: DnsOutput): Fault[] {
  if (own !== undefined) return [];
  if (hosts.length > 0 && domains.length === 0 && device === undefined) return [];
  return [
    {
      key: "dns.servers",
      value: "(missing)",
      rule:
        hosts.length > 0
          ? "at least one IPv4 address: dns.searchDomains and dns.netplan are those of the VM"
          : "at least one IPv4 address: those of the VM; it may be left out only where dns.hosts names others",
      example: '["10.0.20.1"]',
    },
  ];
}

type DnsHostOutput = DnsOutput["hosts"][number];

/** Named twice, a server is no fallback of itself. */
function sameServerFaults(key: string, all: readonly string[]): Fault[] {
  return all.flatMap((server, at) => {
    const first = all.indexOf(server);
    if (first === at) return [];
    const rule = `another server: regwarden:${key}[${first}] is the same`;
    return [{ key: `${key}[${at}]`, value: JSON.stringify(server), rule, example: "94.140.14.14" }];
  });
}

/** Two entries would write the same files, each its own servers. */
function sameAddressFaults(hosts: readonly DnsHostOutput[]): Fault[] {
  return hosts.flatMap(({ address, sshPort }, at) => {
    const first = hosts.findIndex((other) => other.address === address && other.sshPort === sshPort);
    if (first === at) return [];
    const rule = `another host: regwarden:dns.hosts[${first}] has the same address and port`;
    const key = `dns.hosts[${at}].address`;
    return [{ key, value: JSON.stringify(address), rule, example: "192.0.2.11" }];
  });
}

function hostFaults(host: DnsHostOutput, key: string, vmAddress: string | undefined): Fault[] {
  const faults: Fault[] = sameServerFaults(`${key}.servers`, host.servers);
  if (host.address === vmAddress)
    faults.push({
      key: `${key}.address`,
      value: JSON.stringify(host.address),
      rule: "another host than the VM, whose servers are dns.servers",
      example: "192.0.2.10",
    });
  if (host.name === vmName)
    faults.push({
      key: `${key}.name`,
      value: JSON.stringify(host.name),
      rule: `another name: ${vmName} is the VM, whose servers are dns.servers`,
      example: "proxmox",
    });
  if (host.kind !== "resolvConf") return faults;
  if (host.netplan !== undefined)
    faults.push({
      key: `${key}.netplan`,
      value: JSON.stringify(host.netplan),
      rule: "left out: netplan gives its name servers to systemd-resolved, which a host of kind resolvConf has not",
      example: `remove it, or set ${key}.kind to resolved`,
    });
  if (host.servers.length > MOST_SERVERS)
    faults.push({
      key: `${key}.servers`,
      value: `${host.servers.length} addresses`,
      rule: `at most ${MOST_SERVERS}: the C library reads no more of a resolv.conf`,
      example: '["192.0.2.1", "192.0.2.2"]',
    });
  return faults;
}
