import { MANAGED_BY } from "./managed-by.ts";

export interface DnsSettings {
  /** IPv4 addresses, the preferred one first. */
  readonly servers: readonly string[];
  readonly searchDomains: readonly string[];
}

/**
 * Configuration of systemd-resolved.
 *
 * Every server stands in DNS=: resolved goes on to the next when one does not answer. FallbackDNS= is read only where
 * no server at all is configured, so it is no fallback. The domain `~.` makes these servers win over those that
 * netplan or DHCP gave to a link.
 *
 * Source: resolved.conf(5).
 */
export function resolvedConfig({ servers, searchDomains }: DnsSettings): string {
  return `# ${MANAGED_BY}\n[Resolve]\nDNS=${servers.join(" ")}\nDomains=${[...searchDomains, "~."].join(" ")}\n`;
}
