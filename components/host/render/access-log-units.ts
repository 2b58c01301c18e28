import {
  accessLogDays,
  accessLogDirectory,
  accessLogFile,
  accessLogHeadFormat,
  accessLogStampFormat,
} from "../../../contract/access-log.ts";
import { hostPaths } from "../../../contract/host-paths.ts";
import type { RegistrySettings } from "../settings.ts";
import { hardening } from "./hardening.ts";
import { MANAGED_BY } from "./managed-by.ts";
import { reloadNginxFunctions } from "./scripts.ts";
import { timerUnit } from "./timer.ts";

/** A file of a day that grows beyond this ends earlier. */
const MOST_MEBIBYTES = 256;

/** What all former files may take, compressed; the oldest go first. */
const ALL_MEBIBYTES = 2048;

/**
 * Begins a new file of nginx's log once a day, or when it has grown large: renames the present one, writes the head of
 * the next, and reloads nginx. It is not told to reopen its files: that would give them, the container's standard error
 * included, to the workers' account, and the master, which has no capability to override that, could never open them
 * again.
 */
export function rotateAccessLogScript(): string {
  return `#!/bin/sh
# ${MANAGED_BY}
set -eu
umask 0027
cd ${accessLogDirectory}
${reloadNginxFunctions()}
is_due() {
  begins=$(sed -n '1s/^{"begins":\\([0-9]\\{1,\\}\\).*/\\1/p' ${accessLogFile} 2>/dev/null) || true
  [ "\${begins:-0}" -lt "$(($(date +%s) / 86400 * 86400))" ] ||
    [ -n "$(find ${accessLogFile} -size +${MOST_MEBIBYTES}M)" ]
}
if is_due; then
  former=
  if [ -e ${accessLogFile} ]; then
    former=${accessLogFile}-$(date -u +${accessLogStampFormat})
    [ ! -e "$former" ] || exit 0
  fi
  rm -f .new
  if [ -n "$former" ]; then
    printf '${accessLogHeadFormat}' "$(date +%s)" "$former" >.new
    mv ${accessLogFile} "$former"
  else
    printf '{"begins":%s,"follows":null}\\n' "$(date +%s)" >.new
  fi
  mv .new ${accessLogFile}
  # Else it opens the new file when it starts.
  if is_running; then reload; fi
fi
find . -maxdepth 1 -name '${accessLogFile}-*' -mtime +${accessLogDays} -delete
# Workers that end their last transfers after a reload may still write to the newest.
find . -maxdepth 1 -name '${accessLogFile}-*Z' -mmin +90 -exec gzip -f {} +
find . -maxdepth 1 -name '${accessLogFile}-*' -printf '%f %k\\n' | sort -r |
  while read -r file kibibytes; do
    all=$((\${all:-0} + kibibytes))
    [ "$all" -le ${ALL_MEBIBYTES * 1024} ] || rm -f -- "$file"
  done
`;
}

export function accessLogUnit({ directory }: RegistrySettings): string {
  return `# ${MANAGED_BY}
[Unit]
Description=New file of the registry's access log, once a day
After=docker.service
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${hostPaths(directory).rotateAccessLog}
TimeoutStartSec=600

# Files that nginx has given to its workers are compressed and removed.
${hardening({
  CapabilityBoundingSet: "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER",
  LockPersonality: "yes",
  PrivateNetwork: "yes",
  ProtectHome: "tmpfs",
  ReadWritePaths: accessLogDirectory,
  RestrictAddressFamilies: "AF_UNIX",
})}
`;
}

/** Starts it every hour: a file that grows too large ends within one. */
export function accessLogTimer(): string {
  return timerUnit(
    "Hourly check of the registry's access log",
    "OnActiveSec=0",
    "OnCalendar=hourly",
    "Persistent=true",
    "AccuracySec=1s",
  );
}
