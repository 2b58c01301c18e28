import { dnsPaths } from "../../../contract/dns.ts";
import { variables } from "../../../contract/environment.ts";
import { listJobsFunction } from "../../../contract/harmful-jobs.ts";
import { containers, units } from "../../../contract/host-names.ts";
import { hostPaths, reportDirectory, scanFiles } from "../../../contract/host-paths.ts";
import { freezePaths } from "../../../contract/write-freeze.ts";
import { localAddress, type RegistrySettings } from "../settings.ts";
import { MAXIMUM_REPORT_AGE_SECONDS } from "./check-config.ts";
import { NGINX_CONFIG } from "./nginx-paths.ts";
import { JOBS_MOUNT, programCommand, REPORT_MOUNT } from "./sandbox.ts";

const RELOADED_WITHIN_SECONDS = 60;

/**
 * Makes nginx take up its files, and the addresses of containers that were recreated, without ending a transfer: old
 * workers go on with what they serve, new ones take every new connection. What `nginx -t` refuses changes nothing.
 */
export function reloadNginxScript(): string {
  return `set -eu\n${reloadNginxFunctions()}\nreload\n`;
}

/**
 * POSIX shell: `reload`, and `is_running`. A reload has no result of its own: it has worked when a worker runs that did
 * not before.
 */
export function reloadNginxFunctions(): string {
  return `nginx() { docker exec ${containers.nginx} nginx -c ${NGINX_CONFIG} "$@"; }
is_running() { [ "$(docker inspect --format '{{.State.Running}}' ${containers.nginx} 2>/dev/null)" = true ]; }
is_healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' ${containers.nginx})" = healthy ]; }
# Processes of nginx that take connections: those that only end what they have are called otherwise.
workers() {
  for status in $(grep -ls "^PPid:[[:space:]]*$1$" /proc/[0-9]*/status); do
    if tr '\\0' ' ' <"\${status%status}cmdline" 2>/dev/null | grep -q '^nginx: worker process *$'; then
      echo "$status"
    fi
  done
}
has_new_worker() {
  for worker in $(workers "$master"); do
    case " $before " in *" $worker "*) ;; *) return 0 ;; esac
  done
  return 1
}
reload() {
  nginx -t -q
  master=$(docker inspect --format '{{.State.Pid}}' ${containers.nginx})
  before=$(workers "$master" | tr '\\n' ' ')
  nginx -s reload
  seconds=0
  until has_new_worker && is_healthy; do
    seconds=$((seconds + 1))
    if [ "$seconds" -gt ${RELOADED_WITHIN_SECONDS} ]; then
      echo "${containers.nginx} did not take up its files within ${RELOADED_WITHIN_SECONDS} seconds, or is not healthy; its last lines:" >&2
      docker logs --tail 20 ${containers.nginx} >&2
      exit 1
    fi
    sleep 1
  done
}`;
}

/** Runs a oneshot unit to its end, and shows why when it fails. */
export function startUnitScript(unit: string): string {
  return `set -eu
systemctl start ${unit} </dev/null || {
  journalctl --unit ${unit} --lines 20 --no-pager --output cat >&2
  exit 1
}
`;
}

/** Pushes the sentinel image, which the deployment check pulls. The password comes on standard input. */
export function seedSentinelScript(settings: RegistrySettings, caFile: string): string {
  return `set -eu\n${programLine("seed-sentinel", settings, caFile)}\n`;
}

/** Scans the store, whenever it was scanned last: a first deployment or another program has no scan to rely on. */
export function scanStoreScript(): string {
  return `set -eu\n${SCAN_FUNCTIONS}\nscan\n`;
}

/**
 * Asks everything that users will ask. The store is scanned first, unless a scan of the last day checked it. The
 * password comes on standard input.
 */
export function checkDeploymentScript(settings: RegistrySettings, caFile: string): string {
  const report = `${reportDirectory}/${scanFiles.report}`;
  return `set -eu
${SCAN_FUNCTIONS}
if ! has_checked || [ -z "$(find ${report} -mmin -${FRESH_SCAN_MINUTES} 2>/dev/null)" ]; then scan; fi
# A handler that fails lets writes pass: no collection could begin.
docker exec ${containers.nginx} wget -q -T 30 -O /dev/null http://127.0.0.1:${settings.metrics.port}${freezePaths.probe} </dev/null || {
  echo "nginx cannot hold writes, so nothing could be collected; its last lines:" >&2
  docker logs --tail 20 ${containers.nginx} >&2
  exit 1
}
scratch=$(mktemp -d)
trap 'rm -r -- "$scratch"' EXIT
${listJobsFunction}
list_jobs </dev/null >"$scratch/listing" 2>&1 || true
# The directory is for root alone; the program, which gets this file only, runs as another account.
chmod 0444 "$scratch/listing"
${programLine("check-deployment", settings, caFile, [`"$scratch/listing":${JOBS_MOUNT}:ro`])}
`;
}

/** No deployment waits for a scan when the last one is younger than this; the timer starts one a day. */
const FRESH_SCAN_MINUTES = MAXIMUM_REPORT_AGE_SECONDS / 60 - 60;

const SCAN_FUNCTIONS = `# Findings (exit code 1) leave the unit failed, and the check reports them; any other failure is no scan at all.
has_checked() {
  result=$(systemctl show --property Result --value ${units.scan})
  status=$(systemctl show --property ExecMainStatus --value ${units.scan})
  case "$result:$status" in success:0 | exit-code:1) ;; *) return 1 ;; esac
}
scan() {
  systemctl start ${units.scan} </dev/null || true
  has_checked || {
    echo "the scan could not check the store: $result, exit code $status; its last lines:" >&2
    journalctl --unit ${units.scan} --lines 20 --no-pager --output cat >&2
    exit 3
  }
}`;

/** Restarts systemd-resolved and asks it for a name: a host without DNS would fail later, and elsewhere. */
export function restartResolvedScript(name: string): string {
  return `set -eu
systemctl restart systemd-resolved.service
resolvectl query --legend=no ${name} || {
  ${wayBack}
  exit 1
}
`;
}

/** Asks a server of /etc/resolv.conf for a name. */
export function resolveScript(name: string): string {
  return `set -eu
getent -s dns ahostsv4 ${name} || {
  ${wayBack}
  exit 1
}
`;
}

const wayBack = `echo "the new name servers do not resolve the name; the old ones come back by: ${dnsPaths.command} rollback" >&2`;

/** Makes systemd-resolved forget a configuration that has been taken away. A host without resolved has nothing to forget. */
export function forgetResolvedScript(): string {
  return "systemctl try-restart systemd-resolved.service\n";
}

function programLine(
  command: string,
  settings: RegistrySettings,
  caFile: string,
  volumes: readonly string[] = [],
): string {
  const { checkConfig } = hostPaths(settings.directory);
  return programCommand(settings, {
    command: `${command} /config.json`,
    network: "host",
    volumes: [
      `${caFile}:/ca.pem:ro`,
      `${checkConfig}:/config.json:ro`,
      `${reportDirectory}:${REPORT_MOUNT}:ro`,
      ...volumes,
    ],
    options: [
      "--interactive --memory 512m",
      `--add-host ${settings.hostname}:${localAddress(settings)} --env ${variables.authorityFile}=/ca.pem`,
    ],
  });
}
