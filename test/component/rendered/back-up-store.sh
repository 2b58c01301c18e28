#!/bin/sh
# Written by regwarden: a change made here shows as drift and is undone by the next update.
set -eu
umask 0077
state=${STATE_DIRECTORY:-/var/lib/regwarden-backup}
report=${REPORT_DIRECTORY:-/var/lib/regwarden}
there=registry-backup@10.0.20.30
key=$state/id_ed25519
began=$(date +%s)
run=$(date -u +%Y%m%dT%H%M%SZ)
complete=0
tags=0

write_metrics() {
  ended=$(date +%s)
  success=$(cat "$state/success" 2>/dev/null) || success=
  {
    echo "# HELP regwarden_backup_last_run_timestamp_seconds Unix time of the end of the last run, whatever its result"
    echo "# TYPE regwarden_backup_last_run_timestamp_seconds gauge"
    echo "regwarden_backup_last_run_timestamp_seconds $ended"
    echo "# HELP regwarden_backup_complete 1 when the last run made a complete copy, else 0"
    echo "# TYPE regwarden_backup_complete gauge"
    echo "regwarden_backup_complete $complete"
    echo "# HELP regwarden_backup_duration_seconds Time that the last run took"
    echo "# TYPE regwarden_backup_duration_seconds gauge"
    echo "regwarden_backup_duration_seconds $((ended - began))"
    echo "# HELP regwarden_backup_tags Tags of the store at the end of the last run"
    echo "# TYPE regwarden_backup_tags gauge"
    echo "regwarden_backup_tags $tags"
    if [ -n "$success" ]; then
    echo "# HELP regwarden_backup_success_timestamp_seconds Unix time of the end of the last run that made a complete copy; absent before the first"
    echo "# TYPE regwarden_backup_success_timestamp_seconds gauge"
    echo "regwarden_backup_success_timestamp_seconds $success"
    fi
  } >"$report/backup.prom.new"
  chmod 0644 "$report/backup.prom.new"
  mv "$report/backup.prom.new" "$report/backup.prom"
}

end() {
  code=$?
  write_metrics || code=1
  exit "$code"
}
trap end EXIT

cd /opt/registry/data/private
# A directory that is not mounted, or another one, must not become the newest copy.
if ! [ -s .regwarden-data ] || ! [ -d ./docker/registry/v2/repositories ] || ! [ -d ./docker/registry/v2/blobs ]; then
  echo "/opt/registry/data/private is not the store that this stack serves: nothing was copied" >&2
  exit 3
fi
# It is made here and never leaves this machine.
[ -e "$key" ] || ssh-keygen -q -t ed25519 -N '' -C "regwarden-backup@$(uname -n)" -f "$key"

# What was copied before is not sent again: from the last complete copy, and from one that was cut off since.
former=
for name in last begun; do
  if [ -s "$state/$name" ]; then
    former="$former --link-dest=/srv/registry-backup/$(cat "$state/$name")"
  fi
done

copy() {
  code=0
  # shellcheck disable=SC2086 # options, of which none has a space
  rsync --recursive --times --relative --timeout=300 --chmod=D755,F644 $former \
    --rsh "ssh -F /dev/null -i $key -p 22 -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=30 \
      -o StrictHostKeyChecking=yes -o UserKnownHostsFile=/opt/registry/programs/backup-known-hosts -o GlobalKnownHostsFile=/dev/null" \
    "$@" "$there:/srv/registry-backup/$run/" || code=$?
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
copy --checksum --prune-empty-dirs --min-size=1 --exclude=_uploads/ --exclude=_layers/ \
  --exclude=_manifests/revisions/ --exclude='_manifests/tags/*/index/' ./.regwarden-data ./docker/registry/v2/repositories
echo "$run" >"$state/begun"
# With the directory of tags, also where it is empty: without it the registry does not know the repository.
copy --exclude=_uploads/ --exclude=_layers/ --exclude='_manifests/tags/*' ./docker/registry/v2/repositories
copy --exclude=_uploads/ --exclude=_manifests/ ./docker/registry/v2/repositories
copy ./docker/registry/v2/blobs

tags=$(find ./docker/registry/v2/repositories -path '*/_manifests/tags/*/current/link' | wc -l)
echo "$run $tags tags" >"$state/complete"
cd "$state"
copy ./complete
echo "$run" >"$state/last"
date +%s >"$state/success"
complete=1
echo "copied $tags tags to $there:/srv/registry-backup/$run"
