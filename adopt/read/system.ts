import type { DnsFacts, SystemFacts, UnitFact } from "../facts.ts";
import { pairsOf, recordsOf } from "./records.ts";

/** Argument: root, for tests. What the machine is, by name. */
export const systemScript = `set -eu
export LC_ALL=C
say() { printf '%s\\0%s\\0' "$1" "$2"; }
say os "$(sed -n 's/^PRETTY_NAME="\\{0,1\\}\\([^"]*\\)"\\{0,1\\}$/\\1/p' "$1/etc/os-release")"
say hostname "$(hostname -f 2>/dev/null || hostname)"
say timeZone "$(date +%Z)"
say engine "$(docker version --format '{{.Server.Version}}')"
say compose "$(docker compose version --short 2>/dev/null || true)"`;

export function systemOf(output: Buffer): SystemFacts {
  const facts = pairsOf(output);
  const text = (key: keyof SystemFacts) => facts.get(key) ?? "";
  return {
    os: text("os"),
    hostname: text("hostname"),
    timeZone: text("timeZone"),
    engine: text("engine"),
    compose: text("compose"),
  };
}

/** Arguments: units. Name, text, and states as systemd has them; nothing of a unit that there is not. */
export const unitsScript = `set -eu
export LC_ALL=C
for unit; do
  load=$(systemctl show --no-pager --property=LoadState --value -- "$unit")
  [ "$load" != not-found ] || continue
  path=$(systemctl show --no-pager --property=FragmentPath --value -- "$unit")
  printf '%s\\0' "$unit"
  [ ! -f "$path" ] || cat -- "$path"
  printf '\\0%s\\0%s\\0' "$(systemctl show --no-pager --property=UnitFileState --value -- "$unit")" "$(systemctl show --no-pager --property=ActiveState --value -- "$unit")"
done`;

export function unitsOf(output: Buffer): UnitFact[] {
  return recordsOf(output, 4).map(([name = "", text = "", enabled, active]) => ({
    name,
    text,
    isEnabled: enabled === "enabled",
    isActive: active === "active",
  }));
}

/** The timers that are installed. */
export const timersScript = `set -eu
systemctl list-unit-files --type=timer --no-legend --no-pager | while read -r name _; do printf '%s\\0' "$name"; done`;

/** Argument: root. Path and text of every file that says which DNS servers are asked. Netplan may hold passwords: its lines on names only. */
export const dnsScript = `set -eu
export LC_ALL=C
root=$1
for path in "$root"/etc/resolv.conf "$root"/etc/systemd/resolved.conf "$root"/etc/systemd/resolved.conf.d/*.conf; do
  [ -f "$path" ] || continue
  printf '%s\\0' "\${path#"$root"}"
  grep -E '^[[:space:]]*(nameserver|search|domain|DNS=|FallbackDNS=|Domains=)' -- "$path" || true
  printf '\\0'
done
for path in "$root"/etc/netplan/*.yaml; do
  [ -f "$path" ] || continue
  printf '%s\\0' "\${path#"$root"}"
  sed -n '/nameservers:/,/^[[:space:]]*[a-z-]*:[[:space:]]*$/p' -- "$path"
  printf '\\0'
done`;

/** The servers of the file that systemd-resolved reads last, else those of resolv.conf. */
export function dnsOf(output: Buffer): DnsFacts {
  const texts = recordsOf(output, 2).filter(([, text = ""]) => text.trim() !== "");
  const words = (pattern: RegExp, from: readonly string[][]) =>
    from.flatMap(([, text = ""]) =>
      [...text.matchAll(pattern)].flatMap(([, found = ""]) => found.trim().split(/[\s,]+/)),
    );
  const resolved = texts.filter(([path = ""]) => path.startsWith("/etc/systemd/"));
  const plain = texts.filter(([path]) => path === "/etc/resolv.conf");
  const own = words(/^\s*(?:DNS|FallbackDNS)=(.+)$/gm, resolved);
  const servers = own.length > 0 ? own : words(/^\s*nameserver\s+(\S+)/gm, plain);
  const domains = [
    ...words(/^\s*Domains=(.+)$/gm, resolved),
    ...words(/^\s*(?:search|domain)\s+(.+)$/gm, plain),
  ];
  return {
    servers: [...new Set(servers)].filter((each) => each !== ""),
    searchDomains: [...new Set(domains)].filter((each) => each !== "" && each !== "."),
    files: texts.map(([path = ""]) => path),
  };
}
