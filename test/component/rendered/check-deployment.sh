set -eu
# Findings (exit code 1) leave the unit failed, and the check reports them; any other failure is no scan at all.
has_checked() {
  result=$(systemctl show --property Result --value regwarden-scan.service)
  status=$(systemctl show --property ExecMainStatus --value regwarden-scan.service)
  case "$result:$status" in success:0 | exit-code:1) ;; *) return 1 ;; esac
}
scan() {
  systemctl start regwarden-scan.service </dev/null || true
  has_checked || {
    echo "the scan could not check the store: $result, exit code $status; its last lines:" >&2
    journalctl --unit regwarden-scan.service --lines 20 --no-pager --output cat >&2
    exit 3
  }
}
if ! has_checked || [ -z "$(find /var/lib/regwarden/scan.json -mmin -1500 2>/dev/null)" ]; then scan; fi
# A handler that fails lets writes pass: no collection could begin.
docker exec registry-nginx wget -q -T 30 -O /dev/null http://127.0.0.1:5001/freeze/probe </dev/null || {
  echo "nginx cannot hold writes, so nothing could be collected; its last lines:" >&2
  docker logs --tail 20 registry-nginx >&2
  exit 1
}
scratch=$(mktemp -d)
trap 'rm -r -- "$scratch"' EXIT
list_jobs() {
  jobs=$(for file in "${1-}"/etc/crontab "${1-}"/etc/anacrontab "${1-}"/etc/cron.* "${1-}"/var/spool/cron "${1-}"/etc/systemd/system "${1-}"/etc/systemd/user "${1-}"/run/systemd/system "${1-}"/usr/local/lib/systemd/system "${1-}"/usr/lib/systemd/system "${1-}"/root/.config/systemd/user "${1-}"/home/*/.config/systemd/user; do
    [ ! -e "$file" ] || printf '%s\n' "$file"
  done | xargs -r -d '\n' grep -RIl -D skip '' -- 2>/dev/null |
    xargs -r -d '\n' readlink -f -- | sort -u) || true
  # Every host with systemd has some.
  [ -n "$jobs" ] || return 1
  scripts=$(printf '%s\n' "$jobs" | xargs -r -d '\n' grep -ohE '/[A-Za-z0-9_.+/-]+' -- | sort -u | while IFS= read -r path; do
    case $path in
      # The programs speak of these commands and run none; what the cleanup scripts say of themselves adds nothing.
      */regwarden.mjs | */cleanup-tags.sh | */fix-broken-blobs.sh) continue ;;
      /proc/* | /sys/* | /dev/*) continue ;;
    esac
    [ ! -f "$path" ] || printf '%s\n' "$path"
  done) || true
  printf '%s\n' "$jobs" "$scripts" | sed '/^$/d' | sort -u | xargs -r -d '\n' grep -IlE 'garbage-collect|cleanup-tags[.]sh|fix-broken-blobs[.]sh' -- |
    xargs -r -d '\n' grep -nHZ '' -- || true
  printf '%s\n' '-- end of jobs --'
}
list_jobs </dev/null >"$scratch/listing" 2>&1 || true
# The directory is for root alone; the program, which gets this file only, runs as another account.
chmod 0444 "$scratch/listing"
docker run --rm --pull never --network host --read-only --cap-drop ALL --security-opt no-new-privileges \
  --user 65532:65532 \
  --interactive --memory 512m \
  --add-host registry.example.com:127.0.0.1 --env NODE_EXTRA_CA_CERTS=/ca.pem \
  --volume /opt/registry/tls/fullchain.pem:/ca.pem:ro \
  --volume /opt/registry/programs/check-deployment.json:/config.json:ro \
  --volume /var/lib/regwarden:/report:ro \
  --volume "$scratch/listing":/jobs:ro \
  --volume /opt/registry/programs/regwarden.mjs:/regwarden.mjs:ro \
  node:24.21.0-bookworm-slim node /regwarden.mjs check-deployment /config.json
