/**
 * POSIX shell functions about netplan, for what changes it (the provider) and what takes a change back (the command on
 * the host).
 *
 * `netplan_generate DIRECTORY`: copies netplan's files below a directory that is empty, as their own root, and generates
 * there what they mean. Fails, with netplan's message, where they are not valid. Files can be changed in the copy first:
 * `netplan_copy DIRECTORY` alone copies.
 * `netplan_meaning DIRECTORY`: what was generated there (`""`: what the host runs with), without the lines about DNS.
 * `netplan_difference FILE FILE`: fails where two such differ, and prints how, without the keys of WireGuard and Wi-Fi.
 */
export const netplanFunctions = `netplan_copy() {
  for parent in lib etc run; do
    mkdir -p -- "$1/$parent"
    if [ -d "/$parent/netplan" ]; then cp -a -- "/$parent/netplan" "$1/$parent/netplan"; fi
  done
}
netplan_generate() {
  netplan generate --root-dir "$1" >"$1/messages" 2>&1 || { cat -- "$1/messages" >&2; return 1; }
}
netplan_meaning() {
  for directory in systemd/network NetworkManager/system-connections; do
    [ -d "$1/run/$directory" ] || continue
    find "$1/run/$directory" -type f -name '*netplan*' | LC_ALL=C sort | while IFS= read -r file; do
      echo "# \${file#"$1"}"
      grep -v -E '^((DNS|Domains|UseDNS|UseDomains)=|\\[DHCP(v4|v6)?\\]$|$)' "$file" || true
    done
  done
}
netplan_difference() {
  difference=$(diff -- "$1" "$2") && return
  echo "$difference" | sed -E 's/^([<>] [^=]*([Kk]ey|psk|[Pp]assword|[Ss]ecret)[^=]*)=.*/\\1=(hidden)/'
  return 1
}`;
