import {
  backupCompleteFile,
  backupFile,
  backupStateDirectory,
  dataMarker,
  hostPaths,
  reportDirectory,
} from "../../../contract/host-paths.ts";
import { backupMetrics } from "../../../contract/metrics.ts";
import { privateRegistry } from "../../../contract/registries.ts";
import type { BackupSettings, RegistrySettings } from "../settings.ts";
import { hardening } from "./hardening.ts";
import { MANAGED_BY } from "./managed-by.ts";
import { timerUnit } from "./timer.ts";

/** Below a registry's data directory. Source: distribution, registry/storage/paths.go. */
const REPOSITORIES = "./docker/registry/v2/repositories";
const BLOBS = "./docker/registry/v2/blobs";

/** Values of the metrics as the script has them. */
const VALUES: Readonly<Record<keyof typeof backupMetrics, string>> = {
  regwarden_backup_last_run_timestamp_seconds: "$ended",
  regwarden_backup_success_timestamp_seconds: "$success",
  regwarden_backup_complete: "$complete",
  regwarden_backup_duration_seconds: "$((ended - began))",
  regwarden_backup_tags: "$tags",
};

/** One entry of known_hosts. Source: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. */
export function backupKnownHosts({ address, sshPort, hostKey }: BackupSettings): string {
  return `${sshPort === 22 ? address : `[${address}]:${sshPort}`} ${hostKey}\n`;
}

/**
 * Copies the private registry's store to another machine while it serves: each run into a directory of its own, in which
 * what has not changed is a hard link to the copy before. A push writes blobs first and its tag last, so this reads tags
 * first and blobs last: all that a copied tag needs was there before the tag was read. Nothing that tags need is removed
 * meanwhile: a collection takes only what none has needed for long. Nothing is ever removed over there.
 */
export function backUpScript(
  { directory }: Pick<RegistrySettings, "directory">,
  backup: BackupSettings,
): string {
  const { registryData, backupKnownHosts: knownHosts } = hostPaths(directory);
  const data = registryData(privateRegistry);
  return `#!/bin/sh
# ${MANAGED_BY}
set -eu
umask 0077
state=\${STATE_DIRECTORY:-${backupStateDirectory}}
report=\${REPORT_DIRECTORY:-${reportDirectory}}
there=${backup.sshUser}@${backup.address}
key=$state/id_ed25519
began=$(date +%s)
run=$(date -u +%Y%m%dT%H%M%SZ)
complete=0
tags=0

${metricsFunction()}
end() {
  code=$?
  write_metrics || code=1
  exit "$code"
}
trap end EXIT

cd ${data}
# A directory that is not mounted, or another one, must not become the newest copy.
if ! [ -s ${dataMarker} ] || ! [ -d ${REPOSITORIES} ] || ! [ -d ${BLOBS} ]; then
  echo "${data} is not the store that this stack serves: nothing was copied" >&2
  exit 3
fi
# It is made here and never leaves this machine.
[ -e "$key" ] || ssh-keygen -q -t ed25519 -N '' -C "regwarden-backup@$(uname -n)" -f "$key"

# What was copied before is not sent again: from the last complete copy, and from one that was cut off since.
former=
for name in last begun; do
  if [ -s "$state/$name" ]; then
    former="$former --link-dest=${below(backup, '$(cat "$state/$name")')}"
  fi
done

copy() {
  code=0
  # shellcheck disable=SC2086 # options, of which none has a space
  rsync --recursive --times --relative --timeout=300 --chmod=D755,F644 $former \\
    --rsh "ssh -F /dev/null -i $key -p ${backup.sshPort} -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=30 \\
      -o StrictHostKeyChecking=yes -o UserKnownHostsFile=${knownHosts} -o GlobalKnownHostsFile=/dev/null" \\
    "$@" "$there:${below(backup, "$run")}/" || code=$?
  # 24: what retention, a collection or a deletion took away meanwhile.
  case $code in
  0 | 24) ;;
  *)
    echo "the copy to $there failed: rsync ended with $code. Does the account there know this key?" >&2
    cat "$key.pub" >&2
    exit 3
    ;;
  esac
}
# A tag's link is the only file that changes, and it keeps its size: by its content, not by its time. A tag that is just
# being made, without its link, is no tag yet.
copy --checksum --prune-empty-dirs --min-size=1 --exclude=_uploads/ --exclude=_layers/ \\
  --exclude=_manifests/revisions/ --exclude='_manifests/tags/*/index/' ./${dataMarker} ${REPOSITORIES}
echo "$run" >"$state/begun"
# With the directory of tags, also where it is empty: without it the registry does not know the repository.
copy --exclude=_uploads/ --exclude=_layers/ --exclude='_manifests/tags/*' ${REPOSITORIES}
copy --exclude=_uploads/ --exclude=_manifests/ ${REPOSITORIES}
copy ${BLOBS}

tags=$(find ${REPOSITORIES} -path '*/_manifests/tags/*/current/link' | wc -l)
echo "$run $tags tags" >"$state/${backupCompleteFile}"
cd "$state"
copy ./${backupCompleteFile}
echo "$run" >"$state/last"
date +%s >"$state/success"
complete=1
echo "copied $tags tags to $there:${below(backup, "$run")}"
`;
}

/** Path over there. */
const below = ({ directory }: BackupSettings, name: string) => `${directory}/${name}`;

function metricsFunction(): string {
  const lines = (names: readonly string[]) =>
    names
      .flatMap((name) => {
        const { help } = backupMetrics[name as keyof typeof backupMetrics];
        return [
          `# HELP ${name} ${help}`,
          `# TYPE ${name} gauge`,
          `${name} ${VALUES[name as keyof typeof VALUES]}`,
        ];
      })
      .map((line) => `    echo "${line}"\n`)
      .join("");
  const success = "regwarden_backup_success_timestamp_seconds";
  return `write_metrics() {
  ended=$(date +%s)
  success=$(cat "$state/success" 2>/dev/null) || success=
  {
${lines(Object.keys(VALUES).filter((name) => name !== success))}    if [ -n "$success" ]; then
${lines([success])}    fi
  } >"$report/${backupFile}.new"
  chmod 0644 "$report/${backupFile}.new"
  mv "$report/${backupFile}.new" "$report/${backupFile}"
}
`;
}

/** Runs {@link backUpScript}. */
export function backupUnit({ directory }: Pick<RegistrySettings, "directory">): string {
  return `# ${MANAGED_BY}
[Unit]
Description=Copy of the private registry's store on another machine
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/bin/sh ${hostPaths(directory).backUpStore}
TimeoutStartSec=24h
StateDirectory=regwarden-backup
StateDirectoryMode=0700
Nice=10
IOSchedulingClass=idle

# It reads the store of another account, and the report directory belongs to the programs' own.
${hardening({
  CapabilityBoundingSet: "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH",
  LockPersonality: "yes",
  ProtectHome: "tmpfs",
  ReadWritePaths: reportDirectory,
  RestrictAddressFamilies: "AF_INET AF_INET6 AF_UNIX",
})}
`;
}

/** Starts {@link backupUnit}. */
export function backupTimer({ onCalendar }: BackupSettings): string {
  return timerUnit(
    "Daily copy of the private registry's store on another machine",
    `OnCalendar=${onCalendar}`,
    "Persistent=true",
  );
}
