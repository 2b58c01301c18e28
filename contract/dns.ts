import { backupDirectory } from "./host-paths.ts";

/** DNS of a host: which files hold it, what is kept of it, and what its command prints and returns. */

/** Where the state of DNS before this program's changes is kept. */
export const dnsBackups = `${backupDirectory}/dns`;

/** What was there before the first change: the paths as on the host below `files`, and a list of them in `manifest`. */
export const dnsBefore = `${dnsBackups}/before`;

/** One path a line: files of netplan that were changed. */
export const dnsChanged = `${dnsBackups}/changed`;

/** Where a file lies in the state before the first change. */
export function dnsOriginal(path: string): string {
  return `${dnsBefore}/files${path}`;
}

export const dnsPaths = {
  command: "/usr/local/sbin/regwarden-dns",
  /** Drop-in of systemd-resolved. */
  dropIn: "/etc/systemd/resolved.conf.d/10-internal-dns.conf",
  dropInDirectory: "/etc/systemd/resolved.conf.d",
  resolvConf: "/etc/resolv.conf",
  /** Written only where no other file of netplan names the device's servers. */
  netplan: "/etc/netplan/90-regwarden-dns.yaml",
} as const;

/** Units that exist for moments only. */
export const dnsUnits = {
  test: "regwarden-dns-test",
  unblock: "regwarden-dns-unblock",
  netplanRollback: "regwarden-netplan-rollback",
} as const;

/** While a change of netplan is not confirmed: its rollback and the old files. Gone after a reboot, as the timer is. */
export const netplanWork = "/run/regwarden-netplan";

/** Type token of the resource that says whether a host can be reached, by which a run finds the hosts that it deferred. */
export const reachableType = "host:index:Reachable";

/** What {@link reachableType} has in `reached` while the host answers; else it has the reason. */
export const reachedText = "yes";

/** The error of a first update of a host that cannot be reached; `reason` is a sentence. */
export function deferralText(host: string, reason: string): string {
  return `${host} is deferred: ${reason} Nothing was changed there; the rest goes on. Run it again once the host answers, or take it out of the configuration.`;
}

/** What {@link deferralText} was made from. */
export function parseDeferral(text: string): { readonly host: string; readonly reason: string } | undefined {
  const [, host, reason] = /^(\S+) is deferred: ([\s\S]*?) Nothing was changed there; /.exec(text) ?? [];
  return host === undefined || reason === undefined ? undefined : { host, reason };
}

/** The VM among the hosts whose name servers are declared; no other one may be called so. */
export const vmName = "vm";
