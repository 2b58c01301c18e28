import { dnsBackups, dnsChanged, dnsUnits, netplanWork } from "../../contract/dns.ts";
import { netplanFunctions } from "../../contract/netplan-shell.ts";
import { HostError } from "../errors.ts";
import type { DeviceDns, NetplanChange, NetplanFile } from "../netplan/plan.ts";
import type { SshHost } from "../ssh/host.ts";
import { digestOf } from "./entry.ts";

/** What the host has: netplan's files, and the servers that systemd-resolved has of the device. */
export interface FoundNetplan {
  readonly files: readonly NetplanFile[];
  /** Of the device as it runs; undefined where resolved has no such device. */
  readonly runs: Omit<DeviceDns, "takesFromDhcp"> | undefined;
}

/** How long an unconfirmed change stands before the host takes it back by itself. */
const rollbackSeconds = 90;

/** How long applying may take: it asks udev, and waits for ever where that is stuck. */
const applySeconds = 60;

/** Arguments: device. Prints each file as `file PATH BASE64`, then what resolved has of the device. */
const readScript = `set -eu
export LC_ALL=C
command -v netplan >/dev/null || { echo "netplan is not installed; leave \\\`netplan\\\` out of the configuration" >&2; exit 1; }
for file in /lib/netplan/*.yaml /etc/netplan/*.yaml /run/netplan/*.yaml; do
  [ -f "$file" ] || continue
  printf 'file %s ' "$file"
  base64 -w 0 <"$file"
  echo
done
for what in dns domain; do
  resolvectl "$what" "$1" 2>/dev/null | sed -n "s/^Link [0-9]* ([^)]*): */$what /p"
done`;

/** Errors: E_REMOTE where netplan is not there. */
export async function readNetplan(host: SshHost, device: string): Promise<FoundNetplan> {
  const action = `check netplan's name servers of ${device}`;
  const { stdout } = await host.run(readScript, [device], { action });
  const lines = stdout
    .toString("utf8")
    .split("\n")
    .map((line) => line.split(" "));
  const files = lines.flatMap(([word, path = "", base64 = ""]) =>
    word === "file" ? [{ path, text: Buffer.from(base64, "base64").toString("utf8") }] : [],
  );
  const listOf = (what: string) =>
    lines
      .find(([word]) => word === what)
      ?.slice(1)
      .filter((each) => each !== "");
  const [servers, searchDomains = []] = [listOf("dns"), listOf("domain")];
  return { files, runs: servers && { servers, searchDomains } };
}

const rollbackScript = `#!/bin/sh
# Puts back what stood before a change of netplan that was not confirmed.
set -eu
work=${netplanWork}
while IFS= read -r line; do
  path=\${line#* }
  case $line in
    was*)
      cp -a -- "$work/old$path" "$path.regwarden-old"
      sync -- "$path.regwarden-old"
      mv -fT -- "$path.regwarden-old" "$path"
      ;;
    new*) rm -f -- "$path" ;;
  esac
done <"$work/list"
timeout ${applySeconds} netplan apply
rm -r -- "$work"
`;

/**
 * Arguments: seconds until the rollback, device, then paths. Standard input: for each path a line, SHA-256 and BASE64 of what is
 * to stand there, or \`absent\`.
 *
 * Everything is checked in a copy first: that what runs is what the files say, so that \`netplan apply\` applies this
 * change and no other that waits; that the new files are valid; that they differ in name servers alone. Then the
 * rollback is armed, then the files are renamed into place and applied. Whatever ends this script after that, the timer
 * puts the old files back.
 */
const switchScript = `set -eu
export LC_ALL=C
umask 077
limit=$1 device=$2; shift 2
work=${netplanWork}
unit=${dnsUnits.netplanRollback}
${netplanFunctions}
# What an earlier change left unconfirmed goes back first.
systemctl stop -- "$unit.timer" 2>/dev/null || true
seconds=0
while systemctl is-active --quiet -- "$unit.service"; do
  [ "$seconds" -lt 60 ] || { echo "an earlier change is just being taken back, for a minute now ($unit.service); nothing was changed" >&2; exit 1; }
  seconds=$((seconds + 1))
  sleep 1
done
if [ -e "$work" ]; then sh "$work/rollback"; fi
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
mkdir -- "$scratch/now" "$scratch/next" "$scratch/work" "$scratch/work/old" "$scratch/new"
# Before the first of the commands that make systemd read its units, for which netplan generates anew.
netplan_meaning "" >"$scratch/runs"
netplan_copy "$scratch/now"
netplan_copy "$scratch/next"
for path; do
  IFS=' ' read -r expected content
  mkdir -p -- "$scratch/new$(dirname -- "$path")" "$scratch/work/old$(dirname -- "$path")"
  if [ -e "$path" ]; then
    cp -a -- "$path" "$scratch/work/old$path"
    echo "was $path" >>"$scratch/work/list"
  else
    echo "new $path" >>"$scratch/work/list"
  fi
  if [ "$expected" = absent ]; then rm -f -- "$scratch/next$path"; continue; fi
  # Owner and mode of the file that is there; a new one is for root alone, as netplan asks.
  if [ -e "$path" ]; then cp -a -- "$path" "$scratch/new$path"; fi
  printf %s "$content" | base64 -d >"$scratch/new$path"
  found=$(sha256sum <"$scratch/new$path")
  [ "\${found%% *}" = "$expected" ] || { echo "the content of $path did not arrive complete" >&2; exit 1; }
  cp -a -- "$scratch/new$path" "$scratch/next$path"
done
netplan_generate "$scratch/now"
netplan_generate "$scratch/next" || { echo "netplan refuses the changed files; nothing was changed" >&2; exit 1; }
netplan_meaning "$scratch/now" >"$scratch/says"
netplan_meaning "$scratch/next" >"$scratch/will"
if ! waiting=$(netplan_difference "$scratch/runs" "$scratch/says"); then
  echo "netplan's files say other things than what runs, and applying them would apply that too. Nothing was changed. Apply it by hand first (netplan try), or take it back:" >&2
  echo "$waiting" >&2
  exit 1
fi
if ! more=$(netplan_difference "$scratch/says" "$scratch/will"); then
  echo "the change would be of more than name servers; nothing was changed:" >&2
  echo "$more" >&2
  exit 1
fi
cat >"$scratch/work/rollback" <<'END'
${rollbackScript}END
cp -a -- "$scratch/work" "$work"
systemctl reset-failed -- "$unit.timer" "$unit.service" 2>/dev/null || true
systemd-run --quiet --collect --unit="$unit" --on-active="$limit" --timer-property=AccuracySec=1s /bin/sh "$work/rollback"
mkdir -p -m 0700 -- ${dnsBackups}
for path; do
  grep -qxF -- "$path" ${dnsChanged} 2>/dev/null || echo "$path" >>${dnsChanged}
  if [ -e "$scratch/new$path" ]; then
    cp -a -- "$scratch/new$path" "$path.regwarden-new"
    sync -- "$path.regwarden-new"
    mv -fT -- "$path.regwarden-new" "$path"
  else
    rm -f -- "$path"
  fi
done
sync -- /etc/netplan
timeout ${applySeconds} netplan apply
# Servers that were set by hand (resolvectl dns) stand above netplan's until then.
resolvectl revert "$device" 2>/dev/null || true`;

/**
 * Arguments: device, name and servers, of which either may be empty. Prints nothing where the device has these servers and the name resolves; then the
 * rollback is called off. Else it is run, and the script fails.
 */
const confirmScript = `set -eu
export LC_ALL=C
device=$1 name=$2 servers=$3
work=${netplanWork}
unit=${dnsUnits.netplanRollback}
fail() {
  systemctl stop -- "$unit.timer" 2>/dev/null || true
  if [ -e "$work" ]; then sh "$work/rollback" || echo "AND THE ROLLBACK FAILED: the old files are in $work/old" >&2; fi
  echo "$1; the old files of netplan are back" >&2
  exit 1
}
found=
seconds=0
until [ -z "$servers" ] || [ "$found" = "$servers" ]; do
  [ "$seconds" -le 20 ] || fail "after netplan apply $device has the name servers \${found:-(none)}, expected $servers. Those of router advertisements or of another program come on top"
  [ "$seconds" -eq 0 ] || sleep 1
  seconds=$((seconds + 1))
  found=$(resolvectl dns "$device" 2>/dev/null | sed -n 's/^Link [0-9]* ([^)]*): *//p' | sed 's/ *$//')
done
if [ -n "$name" ]; then
  answer=$(timeout 30 resolvectl query --legend=no "$name" 2>&1) || fail "with the new name servers $name does not resolve: $answer"
fi
systemctl stop -- "$unit.timer"
[ -e "$work" ] || { echo "the confirmation came too late: the old files of netplan are back" >&2; exit 1; }
rm -r -- "$work"`;

export interface NetplanSwitch {
  readonly device: string;
  readonly change: NetplanChange;
  /** That the device must have afterwards. Undefined: whatever it had before. */
  readonly servers: readonly string[] | undefined;
  /** That must resolve afterwards. */
  readonly name: string | undefined;
}

/**
 * Changes netplan's files and applies them. The change stands once a connection that was made afterwards has found the
 * device's servers and resolved the name; until then the host itself takes it back after a time, whatever became of us.
 *
 * Errors: E_REMOTE when it was refused or taken back, E_HOST_* when the host could not be asked any more: then it takes
 * the change back by itself.
 */
export async function switchNetplan(
  host: SshHost,
  { device, change, servers, name }: NetplanSwitch,
): Promise<void> {
  const lines = change.map(({ text }) =>
    text === undefined ? "absent" : `${digestOf(text)} ${Buffer.from(text).toString("base64")}`,
  );
  const paths = change.map(({ path }) => path);
  const action = `change the name servers of ${device} in ${paths.join(", ")}`;
  const stdin = `${lines.join("\n")}\n`;
  await host.run(switchScript, [String(rollbackSeconds), device, ...paths], { action, stdin });
  const fresh = host.anew();
  try {
    await fresh.run(confirmScript, [device, name ?? "", servers?.join(" ") ?? ""], {
      action: `confirm the name servers of ${device}`,
    });
  } catch (error) {
    if (!(error instanceof HostError) || error.code === "E_REMOTE") throw error;
    const text = `${error.message} netplan's files are not confirmed: the host puts the old ones back within ${rollbackSeconds} seconds.`;
    throw new HostError(error.code, text, { cause: error });
  } finally {
    await fresh.close();
  }
}
