import { dnsBackups, dnsBefore, dnsChanged, dnsPaths, dnsUnits, netplanWork } from "../../../contract/dns.ts";
import { netplanFunctions } from "../../../contract/netplan-shell.ts";
import { MANAGED_BY } from "./managed-by.ts";

/** What the command on a host is made for. */
export interface DnsCommandFacts {
  readonly kind: "resolved" | "resolvConf";
  /** The preferred one first. */
  readonly servers: readonly string[];
  /** That every server resolves. */
  readonly name: string;
  /** The key of the stack's configuration that declares this host's servers. */
  readonly configKey: string;
}

/** What a test uses and no other program: a table, and the place of its rules, before that of the main table (32766). */
const testTable = 53_530;
const testPreference = 5353;

/** How long a test may take, and when what it left, if anything, is taken away. */
const testSeconds = 60;

/** All that has a say in the DNS of a host: kept before the first change. */
const kept = [
  dnsPaths.resolvConf,
  "/etc/systemd/resolved.conf",
  dnsPaths.dropInDirectory,
  "/etc/netplan",
  "/etc/network/interfaces",
  "/etc/network/interfaces.d",
];

/** The command on a host about its name servers: POSIX shell, for root. */
export function dnsCommand(facts: DnsCommandFacts): string {
  return `#!/bin/sh
# ${MANAGED_BY}
# Name servers of this host: what was there before comes back, and the fallback is tried. See docs/dns.md.
set -eu
export LC_ALL=C
umask 077
kind=${facts.kind}
servers='${facts.servers.join(" ")}'
default_name=${facts.name}
config_key='${facts.configKey}'
first=\${servers%% *}
backups=${dnsBackups}
before=${dnsBefore}
${netplanFunctions}
${FILE_FUNCTIONS}
${ROLLBACK_FUNCTIONS}
${TEST_FUNCTIONS}
${STATUS_FUNCTIONS}
${USAGE}`;
}

const FILE_FUNCTIONS = `fail() { code=$1; shift; echo "regwarden-dns: $*" >&2; exit "$code"; }
# What stands at a path: type, mode, owner, and the digest of the content or the target.
facts() {
  if [ -L "$1" ]; then echo "link $(readlink -- "$1")"
  elif [ -f "$1" ]; then
    digest=$(sha256sum <"$1")
    echo "file $(stat -c '%a %U:%G' -- "$1") \${digest%% *}"
  elif [ -e "$1" ]; then echo other
  else echo absent
  fi
}
# Files that this program changes, or has changed.
changed_paths() {
  if [ "$kind" = resolved ]; then echo ${dnsPaths.dropIn}; else echo ${dnsPaths.resolvConf}; fi
  if [ -f ${dnsChanged} ]; then cat ${dnsChanged}; fi
}
# Keeps what is there before the first change; a copy that is there already stays as it is.
backup() {
  if [ -e "$before/manifest" ]; then return; fi
  mkdir -p -- "$backups"
  rm -rf -- "$before" "$backups"/.new.*
  new=$(mktemp -d -- "$backups/.new.XXXXXXXXXX")
  mkdir -- "$new/files"
  for path in ${kept.join(" ")}; do
    if [ -e "$path" ] || [ -L "$path" ]; then cp -a --parents -- "$path" "$new/files"; fi
  done
  # Earlier versions of the program kept no copy; what they wrote is not what was there before.
  for path in ${dnsPaths.dropIn} ${dnsPaths.resolvConf} ${dnsPaths.netplan}; do
    if grep -qs '^# Written by regwarden' -- "$new/files$path"; then rm -- "$new/files$path"; fi
  done
  (cd -- "$new/files" && find . -mindepth 1 ! -type d | sort | while IFS= read -r path; do
    echo "\${path#.} $(facts "$path")"
  done) >"$new/manifest"
  sync
  mv -T -- "$new" "$before"
  sync
}
# For a host whose name servers are not the program's any more: the next first change keeps a copy of its own.
retire() {
  if [ -e "$before" ]; then mv -T -- "$before" "$before-$(date -u +%Y%m%dT%H%M%S.%NZ)"; fi
  rm -f -- ${dnsChanged}
}
# Puts a copy in place of a path, or removes the path where there is no copy.
put() {
  if [ -e "$1" ] || [ -L "$1" ]; then
    cp -a -- "$1" "$2.regwarden-old"
    mv -fT -- "$2.regwarden-old" "$2"
  else
    rm -f -- "$2"
  fi
}`;

const ROLLBACK_FUNCTIONS = `# Fails where netplan's former files say more than other name servers: they are older than what was changed since.
check_netplan() {
  scratch=$(mktemp -d)
  trap 'rm -rf -- "$scratch"' EXIT
  mkdir -- "$scratch/now" "$scratch/next"
  netplan_copy "$scratch/now"
  netplan_copy "$scratch/next"
  for path; do put "$before/files$path" "$scratch/next$path"; done
  netplan_generate "$scratch/now"
  netplan_generate "$scratch/next" || fail 1 "netplan refuses the former files; nothing was changed"
  netplan_meaning "$scratch/now" >"$scratch/says"
  netplan_meaning "$scratch/next" >"$scratch/will"
  more=$(netplan_difference "$scratch/says" "$scratch/will") ||
    fail 1 "since the first change more than name servers was changed in $*, which this would undo; nothing was changed. Copies: $before/files. The difference:
$more"
}
rollback() {
  [ -e "$before/manifest" ] || fail 3 "there is no copy of what was there before ($before); nothing was changed"
  [ ! -e ${netplanWork} ] || fail 3 "a change of netplan waits for its confirmation, or is just being taken back (${netplanWork}); try again in two minutes"
  changed_paths | sort -u >"$backups/rollback"
  set --
  while IFS= read -r path; do
    if [ "$(facts "$path")" = "$(facts "$before/files$path")" ]; then echo "$path: as before the first change"
    else set -- "$@" "$path"; fi
  done <"$backups/rollback"
  rm -- "$backups/rollback"
  if [ "$#" -eq 0 ]; then echo "Nothing was changed."; return; fi
  netplan_paths=
  for path; do case $path in /etc/netplan/*) netplan_paths="$netplan_paths $path" ;; esac; done
  # shellcheck disable=SC2086 # a list of paths without blanks
  if [ -n "$netplan_paths" ]; then check_netplan $netplan_paths; fi
  replaced=$(mktemp -d -- "$backups/replaced-$(date -u +%Y%m%dT%H%M%SZ)-XXXXXX")
  for path; do
    if [ -e "$path" ] || [ -L "$path" ]; then cp -a --parents -- "$path" "$replaced"; fi
  done
  sync
  for path; do put "$before/files$path" "$path"; done
  apply "$netplan_paths" || {
    for path; do put "$replaced$path" "$path"; done
    apply "$netplan_paths" || true
    fail 1 "the former files could not be applied; those that were there are back"
  }
  for path; do
    [ "$(facts "$path")" = "$(facts "$before/files$path")" ] || fail 1 "$path is not as it was before; its copy is $before/files$path"
    echo "$path: $(facts "$path"), byte for byte as before the first change"
  done
  echo "What was there until now is kept in $replaced."
  echo "The host now asks: $(in_use). The program declares: $servers."
  echo "The next update (npm run up) writes that again. To stay with this, take $config_key out of the stack's configuration before it."
}
apply() {
  if [ -n "$1" ]; then timeout 60 netplan apply || return 1; fi
  if [ "$kind" = resolved ]; then systemctl try-restart systemd-resolved.service || return 1; fi
}`;

const TEST_FUNCTIONS = `milliseconds() { date +%s%3N; }
# Answers from files and caches say nothing about a server: names are asked of DNS alone.
resolve() {
  if [ "$kind" = resolvConf ]; then
    getent -s dns ahostsv4 "$1" | sed -n '1s/ .*//p' | grep .
    return
  fi
  resolvectl flush-caches
  answer=$(timeout 40 resolvectl query -4 -- "$1" 2>&1) || { echo "$answer" >&2; return 1; }
  case $answer in *"Data from: "*network*) ;; *"Data from: "*) echo "$1 is in a file of this host (/etc/hosts): give another name" >&2; return 1 ;; esac
  echo "$answer" | sed -n 's/^[^ ]*: \\([0-9.]*\\).*/\\1/p' | head -n 1
}
in_use() {
  if [ "$kind" = resolvConf ]; then sed -n 's/^nameserver[[:space:]]*//p' ${dnsPaths.resolvConf} | tr '\\n' ' ' | sed 's/ $//'
  else resolvectl dns | sed -n 's/^\\(Global\\|Link [0-9]* ([^)]*)\\): *\\(.*[^ ]\\) *$/\\1: \\2/p' | tr '\\n' ';' | sed 's/;$//; s/;/; /g'
  fi
}
answered_by() {
  if [ "$kind" = resolvConf ]; then echo "\${servers#* }"
  else
    current=$(resolvectl status | sed -n 's/^ *Current DNS Server: *//p')
    for server in \${servers#* }; do if echo "$current" | grep -qxF -- "$server"; then echo "$server"; return; fi; done
    echo "a fallback"
  fi
}
# Swallows what goes to the first server's DNS ports, and nothing else: the way to the host may lead through that
# server. A route to the loopback device, since one of type blackhole fails at the sender at once, as no dead server does.
block() {
  ip route add "$first/32" dev lo table ${testTable}
  for ports in "udp dport 53" "tcp dport 53" "tcp dport 853"; do
    # shellcheck disable=SC2086 # two words
    ip rule add pref ${testPreference} to "$first/32" ipproto $ports lookup ${testTable}
  done
  ip route get "$first" ipproto udp dport 53 | grep -q "dev lo table ${testTable}"
}
is_blocked() { [ -n "$(ip rule list pref ${testPreference})" ] || [ -n "$(ip route show table ${testTable} 2>/dev/null)" ]; }
unblock() {
  while ip rule del pref ${testPreference} 2>/dev/null; do :; done
  ip route flush table ${testTable} 2>/dev/null || true
  systemctl stop ${dnsUnits.unblock}.timer 2>/dev/null || true
  # Resolved stays with the server that answered last: it is to ask the first one again.
  if [ "$kind" = resolved ]; then systemctl try-restart systemd-resolved.service; fi
}
# The test itself is a service: whatever ends it, systemd takes the route away, by a second service too where a kill of
# the whole unit also hit what follows its end, and a timer does so once more.
test_fallback() {
  [ "$first" != "$servers" ] || fail 3 "there is no fallback to test: $first is the only server"
  ! is_blocked || fail 3 "a route of table ${testTable} or a rule of preference ${testPreference} is there already; regwarden-dns status says more"
  systemd-run --quiet --collect --unit=${dnsUnits.unblock} --on-active=${testSeconds + 15} --timer-property=AccuracySec=1s "$0" unblock
  systemd-run --quiet --collect --wait --pipe --unit=${dnsUnits.test} --service-type=exec \\
    --property=RuntimeMaxSec=${testSeconds} --property=ExecStopPost="-$0 unblock" \\
    --property=OnFailure=${dnsUnits.unblock}.service "$0" test-now "\${1:-$default_name}"
}
test_now() {
  resolve "$1" >/dev/null || fail 3 "$1 does not resolve even while $first may be asked; nothing was tested"
  block || fail 3 "what goes to $first cannot be swallowed (is it this host itself?); nothing was tested"
  started=$(milliseconds)
  address=$(resolve "$1") || fail 1 "with $first silent $1 does not resolve: the fallback (\${servers#* }) did not answer. Is $1 a name that it knows?"
  echo "$first silent: $1 is $address by $(answered_by), after $(($(milliseconds) - started)) ms"
}`;

const STATUS_FUNCTIONS = `status() {
  code=0
  echo "declared: $servers"
  echo "in use:   $(in_use)"
  for path in $(changed_paths | sort -u); do
    if [ ! -e "$before/manifest" ]; then state="no copy of what was there before"
    elif [ "$(facts "$path")" = "$(facts "$before/files$path")" ]; then state="as before the first change"
    else state="changed; before: $(facts "$before/files$path")"
    fi
    echo "$path: $state"
  done
  if [ -e "$before/manifest" ]; then echo "before the first change: $before, of $(date -u -r "$before/manifest" +%Y-%m-%dT%H:%M:%SZ)"; fi
  if [ -e ${netplanWork} ]; then echo "a change of netplan waits for its confirmation"; code=1; fi
  if is_blocked; then echo "a test swallows what goes to $first; it ends by itself, or at once: regwarden-dns unblock"; code=1; fi
  started=$(milliseconds)
  if address=$(resolve "$default_name"); then echo "$default_name is $address, after $(($(milliseconds) - started)) ms"
  else echo "$default_name does not resolve"; code=1
  fi
  return "$code"
}`;

const USAGE = `usage() {
  echo "Usage: regwarden-dns rollback | test [NAME] | status

  rollback     puts back the files that were there before the program's first change, byte for byte
  test [NAME]  swallows what goes to the first server and asks for NAME: a fallback must answer [default: $default_name]
  status       what is declared, in use, and kept

Exit codes: 0 done, 1 it failed, 2 usage, 3 could not try."
}
case \${1:-} in
  backup | retire | rollback | status | unblock) "$1" ;;
  test) test_fallback "\${2:-}" ;;
  test-now) test_now "$2" ;;
  --help | -h) usage ;;
  *) usage >&2; exit 2 ;;
esac
`;
