import { type CronLine, disabledMarker, formerDirectory } from "../../../contract/adoption.ts";
import { composeProject, units } from "../../../contract/host-names.ts";
import {
  bootDirectoriesFile,
  launcherPath,
  reportDirectory,
  scanFiles,
} from "../../../contract/host-paths.ts";
import type { RegistrySettings } from "../settings.ts";

/** What the first update of an adopted VM does beside all others: POSIX shell with GNU tools, as root. */

/**
 * Keeps what was there before the first change, once and never again: files with owner and mode, which containers ran
 * from which image, which units were enabled. A run that was killed begins anew; only the complete copy gets the name.
 */
export function keepFormerScript({ directory }: RegistrySettings, jobs: readonly CronLine[]): string {
  const crontabs = [...new Set(jobs.map(({ file }) => file))].map(quoted).join(" ");
  return `set -eu
export LC_ALL=C
umask 077
kept=${formerDirectory}
[ ! -d "$kept" ] || exit 0
new=$kept.new
rm -rf -- "$new"
mkdir -p -- "$new"
archive() {
  archive=$1; shift
  for path; do [ ! -e "$path" ] || printf '%s\\0' "\${path#/}"; done >"$new/list"
  tar --create --file "$new/$archive" --directory / --numeric-owner --exclude '${directory.slice(1)}/data/*' --null --files-from "$new/list"
  rm -- "$new/list"
}
archive files.tar ${directory} /etc/systemd/system/${units.boot} /etc/systemd/system/${units.boot}.d
archive crontabs.tar ${crontabs}
find ${directory} -maxdepth 2 -type d -printf '%m %U %G %p\\n' >"$new/directories"
docker ps --all --quiet --no-trunc --filter label=com.docker.compose.project=${composeProject} |
  xargs -r docker inspect --type container --format '{{.Name}} {{.Config.Image}} {{.Image}} {{.State.Status}}' |
  sed 's|^/||' | sort >"$new/containers"
unit=${units.boot}
printf '%s %s %s\\n' "$unit" "$(systemctl is-enabled -- "$unit" 2>/dev/null || true)" "$(systemctl is-active -- "$unit" 2>/dev/null || true)" >"$new/units"
# Of what the stack makes, what was there already: the way back takes away the rest.
for path in ${ownPaths(directory).join(" ")} /etc/systemd/system/regwarden-*; do
  [ ! -e "$path" ] || printf '%s\\n' "$path"
done >"$new/own"
sync -- "$new"/* "$new"
mv -T -- "$new" "$kept"
sync -- "$(dirname -- "$kept")"
`;
}

/** What only the stack makes, beside its units: directories and files that the way back puts aside. */
export function ownPaths(directory: string): string[] {
  const below = ["nginx", "auth", "programs"].map((name) => `${directory}/${name}`);
  return [...below, launcherPath, bootDirectoriesFile];
}

/**
 * Makes comments of cron lines, each once and as it was, when what replaces them has run: a timer that is on, and a
 * report that is younger than its unit. Until then nothing is changed, and the step fails.
 */
export function disableJobsScript(jobs: readonly CronLine[]): string {
  return `set -eu
export LC_ALL=C
wait_for=
systemctl is-enabled --quiet ${units.scanTimer} && systemctl is-active --quiet ${units.scanTimer} || wait_for="${units.scanTimer} is not on"
[ -n "$(find ${reportDirectory}/${scanFiles.report} -newer /etc/systemd/system/${units.scan} 2>/dev/null)" ] || wait_for="${units.scan} has not run since it was installed"
if [ -n "$wait_for" ]; then
  echo "the former jobs go on: $wait_for; start it (systemctl start ${units.scan}), then run the update again" >&2
  exit 1
fi
${disableLines(jobs)}
`;
}

/** The lines alone, whatever has run. */
export function disableLines(jobs: readonly CronLine[]): string {
  const files = [...new Set(jobs.map(({ file }) => file))];
  const calls = files.map((file) => {
    const lines = jobs.filter((job) => job.file === file).map(({ line }) => line);
    return `lines=${quoted(lines.join("\n"))} change ${quoted(file)} '${disableProgram}'`;
  });
  return `${changeFunction}
${calls.join("\n")}`;
}

/**
 * Makes lines of comments again: the way back. Argument: root, for tests. Lines that others have changed since stay as they are.
 */
export function enableJobsScript(): string {
  return `${changeFunction}
for path in "\${1-}"/etc/crontab "\${1-}"/etc/anacrontab "\${1-}"/etc/cron.d/* "\${1-}"/var/spool/cron/* "\${1-}"/var/spool/cron/crontabs/*; do
  if [ -f "$path" ] && grep -qF '${disabledMarker}' -- "$path"; then lines='' change "$path" '${enableProgram}'; fi
done
`;
}

/** Source of the marker and of the lines: variables of the environment, in which awk changes no character. */
const disableProgram = `
BEGIN { count = split(ENVIRON["lines"], list, "\\n"); for (at = 1; at <= count; at++) wanted[list[at]] = 1 }
{ print ($0 in wanted) ? ENVIRON["marker"] $0 : $0 }`;

const enableProgram = `
{ marker = ENVIRON["marker"]; print index($0, marker) == 1 ? substr($0, length(marker) + 1) : $0 }`;

/**
 * \`change FILE PROGRAM\`: FILE as awk's PROGRAM rewrites it, in one rename, with its owner and mode; cron sees the new
 * time. A file that is gone has no lines any more; one that changed meanwhile is left alone, and that is an error.
 */
const changeFunction = `export marker='${disabledMarker}'
change() (
  set -eu
  export lines
  path=$(readlink -f -- "$1" || true)
  [ -f "$path" ] || { echo "$1 is gone: there is nothing to change"; exit 0; }
  directory=$(dirname -- "$path")
  # cron passes over names that begin with a dot.
  new=$(mktemp -- "$directory/.regwarden.XXXXXXXXXX")
  trap 'rm -f -- "$new" "$new.before"' EXIT
  trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM; trap 'exit 141' PIPE
  cp -p -- "$path" "$new.before"
  cp -p -- "$path" "$new"
  awk "$2" "$new.before" >"$new"
  if cmp -s -- "$new.before" "$new"; then exit 0; fi
  cmp -s -- "$new.before" "$path" || { echo "$path was changed meanwhile; run it again" >&2; exit 1; }
  sync -- "$new"
  mv -fT -- "$new" "$path"
  sync -- "$directory"
)`;

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
