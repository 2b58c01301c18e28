#!/bin/sh
# Written by regwarden: a change made here shows as drift and is undone by the next update.
set -eu
umask 077
new=$(mktemp -d /opt/registry/tls/.new.XXXXXX)
trap 'rm -r -- "$new"' EXIT
printf '%s\n' 'pid /tmp/nginx.pid; events {} http { client_body_temp_path /tmp/client_body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi; uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi; server { listen 127.0.0.1:8443 ssl; ssl_certificate /etc/nginx/tls/fullchain.pem; ssl_certificate_key /etc/nginx/tls/privkey.pem; } }' >"$new/nginx.conf"
read_both() {
  cp -L -- /etc/letsencrypt/live/registry.example.com/fullchain.pem "$new/fullchain.pem" && cp -L -- /etc/letsencrypt/live/registry.example.com/privkey.pem "$new/privkey.pem" || return 1
  chmod 0644 "$new/fullchain.pem"
  docker run --rm --pull missing --network none --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp --tmpfs /run --tmpfs /var/cache/nginx --tmpfs /var/log/regwarden/registry --cap-add CHOWN --cap-add SETGID --cap-add SETUID --volume "$new/nginx.conf":/etc/nginx/nginx.conf:ro --volume "$new":/etc/nginx/tls:ro nginx:1.28.0-alpine nginx -t || return 1
}
tries=1
until said=$(read_both 2>&1); do
  if [ "$tries" -ge 6 ]; then
    printf '%s\n' "$said" >&2
    echo "/etc/letsencrypt/live/registry.example.com/fullchain.pem and /etc/letsencrypt/live/registry.example.com/privkey.pem were not taken: nginx goes on with what it has" >&2
    exit 1
  fi
  tries=$((tries + 1))
  sleep 5
done
is_known() { cmp -s "$new/$1" "/opt/registry/tls/$1"; }
if is_known fullchain.pem && is_known privkey.pem && ! [ -e /opt/registry/tls/.not-reloaded ]; then exit 0; fi
# Whatever ends this script before the reload, the next run does it.
: >/opt/registry/tls/.not-reloaded
mv -f -- "$new/privkey.pem" "$new/fullchain.pem" /opt/registry/tls/
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
# On a first deployment there is none yet.
if is_running; then reload; fi
rm /opt/registry/tls/.not-reloaded
