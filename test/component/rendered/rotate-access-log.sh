#!/bin/sh
# Written by regwarden: a change made here shows as drift and is undone by the next update.
set -eu
umask 0007
cd /var/log/regwarden/registry
newest=$(find . -maxdepth 1 -name 'access.log-*' | sort | tail -n 1)
is_due() {
  case $newest in *-"$(date -u +%Y%m%d)"T*) [ -n "$(find access.log -size +256M)" ] ;; esac
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
  # A host whose registry is stopped writes no log: nginx opens the new file when it starts.
  if [ "$(docker inspect --format '{{.State.Running}}' registry-nginx 2>/dev/null)" = true ]; then
    docker exec registry-nginx nginx -c /etc/nginx/regwarden/nginx.conf -s reopen
  fi
fi
find . -maxdepth 1 -name 'access.log-*' -mtime +32 -delete
# Workers that end their last transfers after a reload may still write to the newest.
find . -maxdepth 1 -name 'access.log-*Z' -mmin +90 -exec gzip -f {} +
find . -maxdepth 1 -name 'access.log-*' -printf '%f %k\n' | sort -r |
  while read -r file kibibytes; do
    all=$((${all:-0} + kibibytes))
    [ "$all" -le 2097152 ] || rm -f -- "$file"
  done
