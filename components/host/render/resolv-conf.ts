import { dnsPaths } from "../../../contract/dns.ts";
import { MANAGED_BY } from "./managed-by.ts";
import type { DnsSettings } from "./resolved.ts";

/**
 * A plain /etc/resolv.conf. The C library asks the servers in this order at each lookup, the next after two seconds
 * without an answer: it does not remember which one was silent.
 *
 * Source: resolv.conf(5).
 */
export function resolvConf({ servers, searchDomains }: DnsSettings): string {
  const search = searchDomains.length === 0 ? [] : [`search ${searchDomains.join(" ")}`];
  const lines = [
    `# ${MANAGED_BY}`,
    ...search,
    ...servers.map((server) => `nameserver ${server}`),
    "options timeout:2 attempts:2",
  ];
  return `${lines.join("\n")}\n`;
}

/** Fails on a host whose resolv.conf is systemd-resolved's: replaced by a file, it would take resolved out of use. */
export function refuseResolvedScript(): string {
  return `case $(readlink ${dnsPaths.resolvConf} || true) in
*/systemd/resolve/*)
  echo "${dnsPaths.resolvConf} belongs to systemd-resolved here; set kind to resolved for this host, or remove the link" >&2
  exit 1
  ;;
esac`;
}
