set -eu
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
reload
