import { disabledMarker, formerDirectory, type JobLine, serviceOf } from "../../../contract/adoption.ts";
import { composeProject, units } from "../../../contract/host-names.ts";
import { bootDirectoriesFile, launcherPath } from "../../../contract/host-paths.ts";
import type { RegistrySettings } from "../settings.ts";

/** What the first update of an adopted VM does beside all others: POSIX shell with GNU tools, as root. */

/**
 * Keeps what was there before the first change, once and never again: files with owner and mode, which containers ran
 * from which image, which units were enabled. A run that was killed begins anew; only the complete copy gets the name.
 */
export function keepFormerScript({ directory }: RegistrySettings, jobs: readonly JobLine[]): string {
  const files = [...new Set(jobs.map(({ file }) => file))].map(quoted).join(" ");
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
archive jobs.tar ${files}
find ${directory} -maxdepth 2 -type d -printf '%m %U %G %p\\n' >"$new/directories"
docker ps --all --quiet --no-trunc --filter label=com.docker.compose.project=${composeProject} |
  xargs -r docker inspect --type container --format '{{.Name}} {{.Config.Image}} {{.Image}} {{.State.Status}}' |
  sed 's|^/||' | sort >"$new/containers"
state_of() {
  printf '%s %s %s\\n' "$1" "$(systemctl is-enabled -- "$1" 2>/dev/null || true)" "$(systemctl is-active -- "$1" 2>/dev/null || true)"
}
state_of ${units.boot} >"$new/units"
: >"$new/job-units"
${servicesOf(jobs)
  .map(
    (service) =>
      `for unit in $(systemctl show --property TriggeredBy --value -- ${service}) ${service}; do state_of "$unit"; done >>"$new/job-units"\n`,
  )
  .join("")}# Of what the stack makes, what was there already: the way back takes away the rest.
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
  const below = ["nginx", "auth", "programs", "tls/authority.pem"].map((name) => `${directory}/${name}`);
  return [...below, launcherPath, bootDirectoriesFile];
}

/**
 * Makes comments of the former jobs' lines, each once and as it was, when all that replaces them has run: timers that
 * are on, services that have ended and could check what they are for. Those that only plan are started here; one that
 * removes is never, that is for its timer or the operator. Until then nothing is changed, and the step fails.
 */
export function disableJobsScript(settings: RegistrySettings, jobs: readonly JobLine[]): string {
  const successors = successorsOf(settings);
  const starts = successors
    .filter(({ plans }) => plans)
    .map(
      ({ service, codes }) => `has_run ${service} ${codes} || systemctl start ${service} </dev/null || true`,
    );
  const checks = successors.flatMap(({ timer, service, codes }) => [
    `is_on ${timer} || wait_for "${timer} is not on" "systemctl enable --now ${timer}"`,
    `has_run ${service} ${codes} || wait_for "${service} has not run yet, or could not check" "systemctl start ${service}; journalctl --unit ${service}"`,
  ]);
  return `set -eu
export LC_ALL=C
waits=
wait_for() { waits=1; echo "the former jobs go on: $1. Do this on the host: $2" >&2; }
is_on() { systemctl is-enabled --quiet -- "$1" && systemctl is-active --quiet -- "$1"; }
# UNIT: waits for a run that has begun. A run of another unit that failed starts a scan.
ended() {
  for _ in $(seq ${RUN_LIMIT_SECONDS}); do
    case $(systemctl show --property ActiveState --value -- "$1") in activating | deactivating) sleep 1 ;; *) return 0 ;; esac
  done
}
# UNIT CODES: whether it has ended, by itself and with one of these exit codes.
has_run() {
  ended "$1"
  [ -n "$(systemctl show --property ExecMainExitTimestamp --value -- "$1")" ] || return 1
  case $(systemctl show --property Result --value -- "$1") in success | exit-code) ;; *) return 1 ;; esac
  case ",$2," in *,"$(systemctl show --property ExecMainStatus --value -- "$1")",*) ;; *) return 1 ;; esac
}
${[...starts, ...checks].join("\n")}
if [ -n "$waits" ]; then
  echo "then run the update again" >&2
  exit 1
fi
${disableLines(jobs)}
`;
}

/** A run that takes longer is for the operator to wait for. */
const RUN_LIMIT_SECONDS = 600;

/** What does from now on what a former job did. */
interface Successor {
  readonly service: string;
  readonly timer: string;
  /** Exit codes of a run that has done its part, with commas between them. */
  readonly codes: string;
  /** Whether it changes nothing, so that the update may start it. */
  readonly plans: boolean;
}

function successorsOf({ retention, collection, inUseAs }: RegistrySettings): Successor[] {
  // Findings, a plan and a refusal are 1. Without the cluster's list of images in use, which comes with its first run,
  // marks end with 3 and remove nothing: no reason to let `garbage-collect -m` go on.
  const codes = inUseAs === undefined ? "0,1" : "0,1,3";
  return [
    { service: units.scan, timer: units.scanTimer, codes: "0,1", plans: true },
    { service: units.retain, timer: units.retainTimer, codes, plans: retention.mode === "plan" },
    { service: units.mark, timer: units.markTimer, codes, plans: true },
    { service: units.collect, timer: units.collectTimer, codes, plans: collection.mode === "plan" },
  ];
}

function servicesOf(jobs: readonly JobLine[]): string[] {
  return [...new Set(jobs.flatMap(({ file }) => serviceOf(file) ?? []))];
}

/** The lines alone, whatever has run. */
export function disableLines(jobs: readonly JobLine[]): string {
  const files = [...new Set(jobs.map(({ file }) => file))];
  const calls = files.map((file) => {
    const lines = jobs.filter((job) => job.file === file).map(({ line }) => line);
    return `lines=${quoted(lines.join("\n"))} change ${quoted(file)}`;
  });
  // First what starts them: a unit without its command would only fail at each of its times.
  const stops = servicesOf(jobs).map(
    (service) => `for unit in $(systemctl show --property TriggeredBy --value -- ${service}) ${service}; do
  systemctl disable --quiet -- "$unit" 2>/dev/null || true
  systemctl stop -- "$unit" 2>/dev/null || true
done`,
  );
  const reload = stops.length === 0 ? [] : ["systemctl daemon-reload"];
  return [changeFunction(disableProgram), ...stops, ...calls, ...reload].join("\n");
}

/**
 * Makes lines of comments again: the way back. Argument: root, for tests. Lines that others have changed since stay as they are.
 */
export function enableJobsScript(): string {
  return `${changeFunction(enableProgram)}
for path in "\${1-}"/etc/crontab "\${1-}"/etc/anacrontab "\${1-}"/etc/cron.d/* "\${1-}"/var/spool/cron/* "\${1-}"/var/spool/cron/crontabs/* "\${1-}"/etc/systemd/system/*.service; do
  if [ -f "$path" ] && grep -qF '${disabledMarker}' -- "$path"; then lines='' change "$path"; fi
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
 * \`change FILE\`: FILE as this program of awk rewrites it, in one rename, with its owner and mode; cron sees the new
 * time. A file that is gone has no lines any more; one that changed meanwhile is left alone, and that is an error.
 */
const changeFunction = (program: string) => `export marker='${disabledMarker}'
rewrite() { awk '${program}'; }
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
  rewrite <"$new.before" >"$new"
  if cmp -s -- "$new.before" "$new"; then exit 0; fi
  cmp -s -- "$new.before" "$path" || { echo "$path was changed meanwhile; run it again" >&2; exit 1; }
  sync -- "$new"
  mv -fT -- "$new" "$path"
  sync -- "$directory"
)`;

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
