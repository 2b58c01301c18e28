import { pushJobs } from "../../../contract/cluster-names.ts";

/** More than this many files never disappear from a site in one run. */
export const MAX_DELETIONS = 25;

/** Paths that the script uses; the tests have others. All its values come as environment variables. */
export const DRIVE_SYNC_PATHS = {
  RCLONE_SOURCE_CONFIG: "/config/rclone.conf",
  TARGET: "/data",
  SCRATCH: "/tmp",
} as const;

/**
 * Copies a site's folder into its volume, and pushes the outcome to the Pushgateway. For the shell and the tools of the
 * rclone image, which is Alpine's busybox: its wget cannot PUT, so the request is written by hand. Alpine builds nc with
 * NC_110_COMPAT and Debian without; both close their half at the end of the input and go on reading, as is needed here.
 * Source: rclone, Dockerfile; aports, main/busybox/busyboxconfig.
 *
 * Deletions are counted before anything is touched: `--max-delete` alone stops at the limit with as many files already
 * gone, and the next run goes on with the rest.
 */
export function driveSyncScript(): string {
  return `${PRELUDE}${LIST}${GUARD}${SYNC}`;
}

const PRELUDE = `set -eu
# put BODY
put() {
  answer=$(
    {
      printf 'PUT %s/metrics/job/${pushJobs.driveSync}/site/%s HTTP/1.0\\r\\n' "$PUSH_PATH" "$SITE"
      printf 'Host: %s:%s\\r\\nContent-Type: text/plain; version=0.0.4\\r\\n' "$PUSH_HOST" "$PUSH_PORT"
      printf 'Content-Length: %s\\r\\n\\r\\n%s\\n' "$((\${#1} + 1))" "$1"
    } | nc -w 10 "$PUSH_HOST" "$PUSH_PORT" | head -n 1
  ) || answer=
  case "$answer" in
    'HTTP/1.'?' 200'* | 'HTTP/1.'?' 202'*) ;;
    *)
      echo "FATAL: the Pushgateway did not take the metrics: \${answer:-no answer}" >&2
      return 1
      ;;
  esac
}

# finish EXIT_CODE SKIPPED FAILED
finish() {
  now=$(date +%s)
  body="regwarden_drive_sync_last_run_timestamp_seconds $now
regwarden_drive_sync_skipped $2
regwarden_drive_sync_failed $3"
  if [ "$2$3" = 00 ]; then
    body="$body
regwarden_drive_sync_success_timestamp_seconds $now"
  fi
  put "$body" || exit 1
  exit "$1"
}

fail() {
  echo "FATAL: $1" >&2
  finish 1 0 1
}

`;

const LIST = `# rclone writes new tokens into its configuration, and the Secret's mount is read-only.
umask 077
RCLONE_CONFIG="$SCRATCH/rclone.conf"
export RCLONE_CONFIG
cp "$RCLONE_SOURCE_CONFIG" "$RCLONE_CONFIG" || fail "no configuration of rclone"
rclone lsf --files-only --recursive --fast-list --exclude .DS_Store "$SOURCE" >"$SCRATCH/source" \\
  || fail "the source cannot be listed"
rclone lsf --files-only --recursive --exclude .DS_Store "$TARGET" >"$SCRATCH/target" \\
  || fail "the site's volume cannot be listed"

`;

const GUARD = `files=$(grep -c . "$SCRATCH/source" || true)
if [ "$files" -lt 1 ] || ! grep -Fxq -e "$REQUIRED_FILE" "$SCRATCH/source"; then
  echo "GUARD: $files files in the source, $REQUIRED_FILE needed: the site stays as it is"
  finish 0 1 0
fi
deletions=$(grep -vxFf "$SCRATCH/source" "$SCRATCH/target" | grep -c . || true)
[ "$deletions" -le ${MAX_DELETIONS} ] || fail "$deletions deletions, more than ${MAX_DELETIONS}: nothing was done"

`;

const SYNC = `rclone sync "$SOURCE" "$TARGET" --max-delete ${MAX_DELETIONS} --exclude .DS_Store --fast-list --transfers 4 -v \\
  || fail "rclone sync"
finish 0 0 0
`;
