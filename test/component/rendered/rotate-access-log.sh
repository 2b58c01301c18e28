#!/bin/sh
# Written by regwarden: a change made here shows as drift and is undone by the next update.
set -eu
umask 0027
cd /var/log/regwarden/registry
nginx() { docker exec registry-nginx nginx -c /etc/nginx/regwarden/nginx.conf "$@"; }
is_running() { [ "$(docker inspect --format '{{.State.Running}}' registry-nginx 2>/dev/null)" = true ]; }
is_healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' registry-nginx)" = healthy ]; }
# Processes of nginx that take connections: those that only end what they have are called otherwise.
workers() {
  for status in $(grep -ls "^PPid:[[:space:]]*$1$" /proc/[0-9]*/status); do
    if tr '\0' ' ' <"${status%status}cmdline" 2>/dev/null | grep -q '^nginx: worker process *$'; then
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
  master=$(docker inspect --format '{{.State.Pid}}' registry-nginx)
  before=$(workers "$master" | tr '\n' ' ')
  nginx -s reload
  seconds=0
  until has_new_worker && is_healthy; do
    seconds=$((seconds + 1))
    if [ "$seconds" -gt 60 ]; then
      echo "registry-nginx did not take up its files within 60 seconds, or is not healthy; its last lines:" >&2
      docker logs --tail 20 registry-nginx >&2
      exit 1
    fi
    sleep 1
  done
}
is_due() {
  begins=$(sed -n '1s/^{"begins":\([0-9]\{1,\}\).*/\1/p' access.log 2>/dev/null) || true
  [ "${begins:-0}" -lt "$(($(date +%s) / 86400 * 86400))" ] ||
    [ -n "$(find access.log -size +256M)" ]
}
if is_due; then
  former=
  if [ -e access.log ]; then
    former=access.log-$(date -u +%Y%m%dT%H%M%SZ)
    [ ! -e "$former" ] || exit 0
  fi
  rm -f .new
  if [ -n "$former" ]; then
    printf '{"begins":%s,"follows":"%s"}\n' "$(date +%s)" "$former" >.new
    mv access.log "$former"
  else
    printf '{"begins":%s,"follows":null}\n' "$(date +%s)" >.new
  fi
  mv .new access.log
  # Else it opens the new file when it starts.
  if is_running; then reload; fi
fi
find . -maxdepth 1 -name 'access.log-*' -mtime +32 -delete
# Workers that end their last transfers after a reload may still write to the newest.
find . -maxdepth 1 -name 'access.log-*Z' -mmin +90 -exec gzip -f {} +
find . -maxdepth 1 -name 'access.log-*' -printf '%f %k\n' | sort -r |
  while read -r file kibibytes; do
    all=$((${all:-0} + kibibytes))
    [ "$all" -le 2097152 ] || rm -f -- "$file"
  done
