import { units } from "../../../contract/host-names.ts";
import { diskFile, hostPaths, reportDirectory } from "../../../contract/host-paths.ts";
import { diskMetrics } from "../../../contract/metrics.ts";
import type { RegistrySettings } from "../settings.ts";
import { hardening } from "./hardening.ts";
import { MANAGED_BY } from "./managed-by.ts";
import { timerUnit } from "./timer.ts";

/** Minutes between two measurements: a disk that fills up does so within the hour, and the scan runs once a day. */
const EVERY_MINUTES = 5;

/** Values of the metrics as the shell has them: blocks that the registries may use, all blocks, bytes of one, now. */
const VALUES: Readonly<Record<keyof typeof diskMetrics, string>> = {
  regwarden_disk_free_bytes: "$$(($$1 * $$3))",
  regwarden_disk_size_bytes: "$$(($$2 * $$3))",
  regwarden_disk_last_run_timestamp_seconds: "$$(date +%%s)",
};

/**
 * Writes how much of the store's disk is free, as metrics. The shell and not a program in a container: it runs where
 * Docker does not, and costs nothing.
 */
export function diskUnit({ directory }: RegistrySettings): string {
  const { data } = hostPaths(directory);
  const file = `${reportDirectory}/${diskFile}`;
  const lines = Object.entries(VALUES).flatMap(([name, value]) => [
    `"# HELP ${name} ${diskMetrics[name as keyof typeof diskMetrics].help}"`,
    `"# TYPE ${name} gauge"`,
    `"${name} ${value}"`,
  ]);
  const script = [
    "set -eu",
    `set -- $$(stat --file-system --format "%%a %%b %%S" ${data})`,
    `printf "%%s\\\\n" ${lines.join(" ")} >${file}.new`,
    `mv ${file}.new ${file}`,
  ];
  return `# ${MANAGED_BY}
[Unit]
Description=Free space of the registry's disk, as metrics
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/bin/sh -c '${script.join("; ")}'
TimeoutStartSec=60
UMask=0022

# The report directory belongs to the programs' own account.
${hardening({
  CapabilityBoundingSet: "CAP_DAC_OVERRIDE",
  LockPersonality: "yes",
  PrivateNetwork: "yes",
  ProtectHome: "tmpfs",
  ReadWritePaths: reportDirectory,
  RestrictAddressFamilies: "none",
})}
`;
}

/** Starts {@link diskUnit}. */
export function diskTimer(): string {
  return timerUnit(
    `Free space of the registry's disk, every ${EVERY_MINUTES} minutes`,
    "OnActiveSec=0",
    `OnUnitActiveSec=${EVERY_MINUTES}min`,
    "AccuracySec=10s",
    `Unit=${units.disk}`,
  );
}
