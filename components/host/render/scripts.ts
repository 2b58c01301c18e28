import { variables } from "../../../contract/environment.ts";
import { containers, units } from "../../../contract/host-names.ts";
import { hostPaths, reportDirectory } from "../../../contract/host-paths.ts";
import { localAddress, type RegistrySettings } from "../settings.ts";
import { programCommand, REPORT_MOUNT } from "./sandbox.ts";

const HEALTHY_WITHIN_SECONDS = 60;

/** Restarts nginx and waits until its health check passes. Prints when it started: a trigger for what follows. */
export function restartNginxScript(): string {
  return `set -eu
docker restart ${containers.nginx} >/dev/null
seconds=0
until [ "$(docker inspect --format '{{.State.Health.Status}}' ${containers.nginx})" = healthy ]; do
  seconds=$((seconds + 1))
  if [ "$seconds" -gt ${HEALTHY_WITHIN_SECONDS} ]; then
    echo "${containers.nginx} is not healthy ${HEALTHY_WITHIN_SECONDS} seconds after its restart; its last lines:" >&2
    docker logs --tail 20 ${containers.nginx} >&2
    exit 1
  fi
  sleep 1
done
docker inspect --format '{{.State.StartedAt}}' ${containers.nginx}
`;
}

/** Pushes the sentinel image, which the deployment check pulls. The password comes on standard input. */
export function seedSentinelScript(settings: RegistrySettings, caFile: string): string {
  return `set -eu\n${fetchImage(settings)}${programLine("seed-sentinel", settings, caFile)}\n`;
}

/** Scans the store, then asks everything that users will ask. The password comes on standard input. */
export function checkDeploymentScript(settings: RegistrySettings, caFile: string): string {
  return `set -eu
${fetchImage(settings)}# Findings (exit code 1) leave the unit failed, and the check below reports them; any other failure is no scan at all.
systemctl start ${units.scan} </dev/null || true
result=$(systemctl show --property Result --value ${units.scan})
status=$(systemctl show --property ExecMainStatus --value ${units.scan})
case "$result:$status" in
  success:0 | exit-code:1) ;;
  *)
    echo "the scan could not check the store: $result, exit code $status; its last lines:" >&2
    journalctl --unit ${units.scan} --lines 20 --no-pager --output cat >&2
    exit 3
    ;;
esac
${programLine("check-deployment", settings, caFile)}
`;
}

/** Restarts systemd-resolved and asks it for a name: a host without DNS would fail later, and elsewhere. */
export function restartResolvedScript(name: string): string {
  return `set -eu
systemctl restart systemd-resolved.service
resolvectl query --legend=no ${name}
`;
}

/** Makes systemd-resolved forget a configuration that has been taken away. A host without resolved has nothing to forget. */
export function forgetResolvedScript(): string {
  return "systemctl try-restart systemd-resolved.service\n";
}

/**
 * A script as the command of an SSH session: as it is for root, through sudo for any other account.
 * Standard input passes through either way.
 */
export function asRoot(user: string, script: string): string {
  if (user === "root") return script;
  return `sudo -n /bin/sh -c '${script.replaceAll("'", `'\\''`)}'`;
}

// The nightly scan runs with --pull never, so that it depends on no network: the image must be there.
function fetchImage({ images }: RegistrySettings): string {
  return `docker image inspect ${images.node} >/dev/null 2>&1 || docker pull --quiet ${images.node} </dev/null >&2\n`;
}

function programLine(command: string, settings: RegistrySettings, caFile: string): string {
  const { checkConfig } = hostPaths(settings.directory);
  return programCommand(settings, {
    command: `${command} /config.json`,
    network: "host",
    volumes: [
      `${caFile}:/ca.pem:ro`,
      `${checkConfig}:/config.json:ro`,
      `${reportDirectory}:${REPORT_MOUNT}:ro`,
    ],
    options: [
      "--interactive --memory 512m",
      `--add-host ${settings.hostname}:${localAddress(settings)} --env ${variables.authorityFile}=/ca.pem`,
    ],
  });
}
