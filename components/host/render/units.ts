import { composeProject, containers } from "../../../contract/host-names.ts";
import { hostPaths, reportDirectory, scanFiles } from "../../../contract/host-paths.ts";
import { privateRegistry } from "../../../contract/registries.ts";
import type { RegistrySettings } from "../settings.ts";
import { containerUnit } from "./container-unit.ts";
import { MANAGED_BY } from "./managed-by.ts";
import { programCommand, REPORT_MOUNT } from "./sandbox.ts";
import { timerUnit } from "./timer.ts";

/** Starts the containers at boot. Without ExecStop: restarting the unit is no outage. */
export function bootUnit({ directory, dataMount }: RegistrySettings): string {
  const file = hostPaths(directory).composeFile;
  const up = `/usr/bin/docker compose --project-name ${composeProject} --file ${file} up --detach --remove-orphans`;
  return `# ${MANAGED_BY}
[Unit]
Description=Docker registry, its caches and nginx
After=docker.service network-online.target
Wants=network-online.target
Requires=docker.service
${dataMount === undefined ? "" : `RequiresMountsFor=${dataMount}\n`}
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${up}
ExecReload=${up}
TimeoutStartSec=300

[Install]
WantedBy=multi-user.target
`;
}

/**
 * Checks the store for what cannot be pulled any more. Exit code 1 (findings) leaves the unit failed on
 * purpose: `systemctl --failed` shows it until a scan finds nothing.
 */
export function scanUnit(settings: RegistrySettings): string {
  const { data } = hostPaths(settings.directory);
  // By name, so that nothing depends on the file that a cache writes after its first fetch.
  const modes = [
    `--authoritative ${privateRegistry}`,
    ...settings.caches.map(({ name }) => `--cache ${name}`),
  ];
  const report = `--report ${REPORT_MOUNT}/${scanFiles.report} --metrics ${REPORT_MOUNT}/${scanFiles.metrics}`;
  const scan = programCommand(settings, {
    command: `scan /data ${modes.join(" ")} ${report}`,
    network: "none",
    volumes: [`${data}:/data:ro`, `${reportDirectory}:${REPORT_MOUNT}`],
    options: [`--name ${containers.scan} --memory 512m`],
  });
  return containerUnit({
    description: "Scan of the registry's store for missing manifests and blobs",
    container: containers.scan,
    command: scan,
    timeout: "3600",
  });
}

/** Starts the scan daily, and at boot when it was missed. */
export function scanTimer({ scan }: RegistrySettings): string {
  return timerUnit(
    "Daily scan of the registry's store",
    `OnCalendar=${scan.onCalendar}`,
    "Persistent=true",
    "RandomizedDelaySec=60",
  );
}
