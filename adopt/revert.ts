import { enableJobsScript, ownPaths } from "../components/host/render/former.ts";
import { formerDirectory } from "../contract/adoption.ts";
import { composeProject, units } from "../contract/host-names.ts";
import { backupDirectory } from "../contract/host-paths.ts";
import type { SshHost } from "../provider/ssh/host.ts";
import type { AdoptArgs } from "./args.ts";

/**
 * The way back, on the host: what the first update kept is put in place again. Every step brings one thing to what it
 * was, whatever it is now: a run that was killed is simply run again. The former jobs come last, as they destroy images:
 * before them everything else is as it was.
 *
 * Arguments: directory, `plan` or `apply`. Source of what is kept: components/host/render/former.ts.
 */
export const revertScript = `set -eu
export LC_ALL=C
umask 022
directory=$1 mode=$2
kept=${formerDirectory}
[ -d "$kept" ] || { echo "$kept is not there: no first update with the configuration that adopt wrote has run on this host" >&2; exit 1; }
say() { printf '%s\\n' "$1"; }
is_own() { [ -e "$1" ] && ! grep -qxF -- "$1" "$kept/own"; }
aside=${backupDirectory}/reverted-$(date -u +%Y%m%dT%H%M%SZ)
put_aside() {
  (umask 077 && mkdir -p -- "$aside")
  mv -T -- "$1" "$aside/$(printf %s "\${1#/}" | tr / _)"
}
own_units() {
  for path in /etc/systemd/system/regwarden-*; do
    case $path in *.wants) continue ;; esac
    if is_own "$path"; then printf '%s\\n' "\${path##*/}"; fi
  done
}
displaced() { docker ps --all --filter "name=^/$1\\.displaced-" --format '{{.Names}} {{.CreatedAt}}' | sort -k2 | head -n 1 | cut -d' ' -f1; }

if [ "$mode" = plan ]; then
  for unit in $(own_units); do say "stop and put aside $unit"; done
  tar --list --file "$kept/files.tar" | grep -v '/$' | sed 's|^|restore /|'
  while read -r name image id state; do
    now=$(docker container inspect --format '{{.Image}} {{.State.Status}}' "$name" 2>/dev/null || true)
    say "container $name: $image ($id), as it was; now \${now:-none}"
    docker image inspect "$id" >/dev/null 2>&1 || say "  its image is not on the host any more and must be pulled"
  done <"$kept/containers"
  for path in ${ownPaths("$directory").join(" ")}; do if is_own "$path"; then say "put aside $path"; fi; done
  say "enable the former jobs again"
  exit 0
fi

# Nothing of the stack acts from here on.
for unit in $(own_units); do systemctl disable --now --quiet -- "$unit" 2>/dev/null || systemctl stop -- "$unit" 2>/dev/null || true; done
tar --extract --file "$kept/files.tar" --directory / --preserve-permissions --numeric-owner --same-owner
while read -r mode uid gid path; do
  if [ -d "$path" ]; then chown "$uid:$gid" -- "$path"; chmod "$mode" -- "$path"; fi
done <"$kept/directories"

while read -r name image id state; do
  # A tag that moved means again what ran.
  if docker image inspect "$id" >/dev/null 2>&1; then
    case $image in *@*) ;; *) [ "$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)" = "$id" ] || docker tag "$id" "$image" ;; esac
  fi
  former=$(displaced "$name")
  if [ -n "$former" ]; then
    docker rm --force "$name" >/dev/null 2>&1 || true
    docker rename "$former" "$name"
    docker update --restart=always "$name" >/dev/null
  fi
done <"$kept/containers"
cd -- "$directory"
docker compose --project-name ${composeProject} up --detach --wait --wait-timeout 300 --remove-orphans >&2

# FILE: the units that it names are enabled and running as they were.
as_before() {
  systemctl daemon-reload
  while read -r unit enabled active; do
    case $enabled in enabled) systemctl enable --quiet -- "$unit" ;; disabled) systemctl disable --quiet -- "$unit" ;; esac
    case $active in active) systemctl start -- "$unit" ;; esac
  done <"$1"
}
as_before "$kept/units"
for unit in $(own_units); do put_aside "/etc/systemd/system/$unit"; done
systemctl daemon-reload
for path in ${ownPaths("$directory").join(" ")}; do if is_own "$path"; then put_aside "$path"; fi; done
set --
${enableJobsScript()}
as_before "$kept/job-units"
while read -r name image id state; do
  now=$(docker container inspect --format '{{.Image}} {{.State.Status}}' "$name" 2>/dev/null || echo none)
  case $now in
    "$id $state") say "$name runs as before" ;;
    *) say "$name: expected $id $state, got $now"; code=1 ;;
  esac
done <"$kept/containers"
exit "\${code:-0}"`;

/** Shows the way back, or goes it. Returns what the host printed. Errors: HostError where a step failed: run it again. */
export async function revert(host: SshHost, { directory, apply }: AdoptArgs): Promise<string> {
  const mode = apply ? "apply" : "plan";
  const action = apply
    ? "put back what was there before the first update"
    : "read what the first update kept";
  const { stdout } = await host.run(revertScript, [directory, mode], { action });
  return stdout.toString("utf8");
}

/** What to type after it, and what stays. */
export function revertedText({ apply, stack }: AdoptArgs): string {
  if (!apply) return "\nNothing was changed. With --apply it is done.\n";
  return [
    "\nThe VM is as it was before the first update. Its former jobs run again: they remove what tags need.",
    `The data's marker and record stay (an id, no image), and ${units.boot} starts the former compose file.`,
    `The stack's state still names what it made: \`npm run up -- --stack ${stack}\` moves in again,`,
    `\`npm run destroy -- --only cluster --stack ${stack}\`, then \`npx pulumi stack rm --force --stack ${stack}\` forgets it.\n`,
  ].join("\n");
}
