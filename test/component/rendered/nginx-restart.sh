set -eu
docker restart registry-nginx >/dev/null
seconds=0
until [ "$(docker inspect --format '{{.State.Health.Status}}' registry-nginx)" = healthy ]; do
  seconds=$((seconds + 1))
  if [ "$seconds" -gt 60 ]; then
    echo "registry-nginx is not healthy 60 seconds after its restart; its last lines:" >&2
    docker logs --tail 20 registry-nginx >&2
    exit 1
  fi
  sleep 1
done
docker inspect --format '{{.State.StartedAt}}' registry-nginx
