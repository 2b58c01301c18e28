import { addressesOf } from "../../../lab/machine/instances.ts";
import { instance, onHost } from "./stack.ts";

/**
 * A second machine for name servers, in the lab's host: an sshd whose mounts are its own, with a plain /etc/resolv.conf
 * and no systemd-resolved to read it, as on a hypervisor. Root and the keys are those of the host.
 */
export const plainHost = { address: addressesOf(instance).hostIp, sshPort: 2223 } as const;

const unit = "plain-host";

/** What it has before the first change. */
export const plainResolvConf = "# by the administrator\nnameserver 10.99.0.54\n";

/** Its directories come from the host, each as a copy that ends with it; Docker's mount over resolv.conf is taken off. */
const start = `set -e
mount --make-rprivate /
umount /etc/resolv.conf
cp -a /etc /run/plain-host-etc
printf '${plainResolvConf.replaceAll("\n", "\\n")}' >/run/plain-host-etc/resolv.conf
mount --bind /run/plain-host-etc /etc
mount -t tmpfs tmpfs /usr/local/sbin
mount -t tmpfs tmpfs /var/backups
mkdir -p /run/sshd
exec /usr/sbin/sshd -D -p ${plainHost.sshPort}`;

/** It starts anew, as before any change. */
export async function startPlainHost(): Promise<void> {
  await stopPlainHost();
  await onHost(`cat >/run/plain-host.sh <<'END'\n${start}\nEND
systemd-run --quiet --collect --unit=${unit} unshare --mount sh /run/plain-host.sh
for second in $(seq 30); do ss -Hltn 'sport = ${plainHost.sshPort}' | grep -q . && exit 0; sleep 1; done; exit 1`);
}

/** Runs a command on it. */
export async function onPlainHost(command: string): Promise<string> {
  return await onHost(
    `nsenter --mount --target "$(systemctl show --property MainPID --value ${unit})" sh -c '${command}'`,
  );
}

export async function stopPlainHost(): Promise<void> {
  await onHost(`systemctl stop ${unit} 2>/dev/null; rm -rf /run/plain-host.sh /run/plain-host-etc`);
}
