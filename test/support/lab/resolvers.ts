import type { TestHost } from "./test-host.ts";

/** Two name servers beside a host, and a device of netplan by which it reaches them. */
export interface Resolvers {
  readonly device: string;
  /** The first and its fallback. Each answers every name with its own address. */
  readonly servers: readonly [first: string, fallback: string];
  /** The first one's process ends: the machine refuses what is asked. */
  stopFirst(): Promise<void>;
  startFirst(): Promise<void>;
  /** The first one's machine is off: no machine has its address. */
  turnFirstOff(): Promise<void>;
  turnFirstOn(): Promise<void>;
  clear(): Promise<void>;
}

const device = "rwdns0";
const [first, fallback] = ["10.99.0.53", "10.99.0.54"];

/** Source: RFC 1035, 4.1. Addresses are answered with, any other type has no record. */
const server = `import socket, sys
listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.bind((sys.argv[1], 53))
while True:
    query, client = listener.recvfrom(4096)
    question = query[12:query.index(0, 12) + 5]
    known = question[-4:-2] == b"\\0\\1"
    head = query[:2] + b"\\x81\\x80\\0\\1\\0" + (b"\\1" if known else b"\\0") + b"\\0\\0\\0\\0"
    record = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\0\\0\\4" + socket.inet_aton(sys.argv[1]) if known else b""
    listener.sendto(head + question + record, client)
`;

/** netplan's file of the device, as cloud-init writes it. */
export const cloudInit = `# This file is generated from information provided by the datasource.  Changes
# to it will not persist across an instance reboot.
network:
    version: 2
    ethernets:
        ${device}:
            addresses:
            - 10.99.0.2/24
            # of the provider
            nameservers:
                addresses: [${fallback}]
                search: [old.example]
`;

/**
 * The servers stand in a network of their own: to the host they are other machines. The fallback's address comes first:
 * with the first address of a device the kernel takes those away that came later.
 */
export async function startResolvers({ sh }: Pick<TestHost, "sh">): Promise<Resolvers> {
  const start = (address: string) =>
    sh(
      `systemctl reset-failed resolver-${address} 2>/dev/null; systemd-run --quiet --collect --unit=resolver-${address} ip netns exec resolvers python3 /run/resolver.py ${address}`,
    );
  const stop = (address: string) => sh(`systemctl stop resolver-${address} 2>/dev/null || true`);
  const clear = async () => {
    for (const address of [first, fallback]) await stop(address);
    await sh(
      `systemctl stop regwarden-netplan-rollback.timer regwarden-netplan-rollback.service 2>/dev/null; rm -rf /run/regwarden-netplan; ip link del ${device} 2>/dev/null; ip netns del resolvers 2>/dev/null; rm -f /etc/netplan/*.yaml; netplan generate; systemctl stop systemd-networkd.socket systemd-networkd systemd-udevd 2>/dev/null; systemctl mask --quiet systemd-udevd; rm -rf /var/backups/regwarden/dns; true`,
    );
  };
  await clear();
  await sh(`cat >/run/resolver.py <<'END'\n${server}END`);
  await sh(
    `set -e; ip netns add resolvers; ip link add ${device} type veth peer name peer netns resolvers
ip -n resolvers address add ${fallback}/24 dev peer; ip -n resolvers address add ${first}/24 dev peer
ip -n resolvers link set peer up; ip -n resolvers link set lo up; ip link set ${device} up`,
  );
  for (const address of [first, fallback]) await start(address);
  await sh(`umask 077; cat >/etc/netplan/50-cloud-init.yaml <<'END'\n${cloudInit}END`);
  // A container has no need of them; netplan and networkd have.
  await sh(
    `set -e; systemctl unmask --quiet systemd-udevd; systemctl start systemd-udevd; udevadm trigger --action=add --subsystem-match=net; udevadm settle; netplan apply; systemctl restart systemd-networkd
for second in $(seq 30); do resolvectl dns ${device} | grep -q ${fallback} && exit 0; sleep 1; done; networkctl >&2; exit 1`,
  );
  return {
    device,
    servers: [first, fallback],
    stopFirst: async () => void (await stop(first)),
    startFirst: async () => void (await start(first)),
    turnFirstOff: async () => void (await sh(`ip -n resolvers address del ${first}/24 dev peer`)),
    turnFirstOn: async () => void (await sh(`ip -n resolvers address add ${first}/24 dev peer`)),
    clear,
  };
}
