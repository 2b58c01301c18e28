set -eu
docker image inspect node:24.21.0-bookworm-slim >/dev/null 2>&1 || docker pull --quiet node:24.21.0-bookworm-slim </dev/null >&2
# Findings (exit code 1) leave the unit failed, and the check below reports them; any other failure is no scan at all.
systemctl start regwarden-scan.service </dev/null || true
result=$(systemctl show --property Result --value regwarden-scan.service)
status=$(systemctl show --property ExecMainStatus --value regwarden-scan.service)
case "$result:$status" in
  success:0 | exit-code:1) ;;
  *)
    echo "the scan could not check the store: $result, exit code $status; its last lines:" >&2
    journalctl --unit regwarden-scan.service --lines 20 --no-pager --output cat >&2
    exit 3
    ;;
esac
docker run --rm --pull never --network host --read-only --cap-drop ALL --security-opt no-new-privileges \
  --user 65532:65532 \
  --interactive --memory 512m \
  --add-host registry.example.com:127.0.0.1 --env NODE_EXTRA_CA_CERTS=/ca.pem \
  --volume /opt/registry/tls/fullchain.pem:/ca.pem:ro \
  --volume /opt/registry/programs/check-deployment.json:/config.json:ro \
  --volume /var/lib/regwarden:/report:ro \
  --volume /opt/registry/programs/regwarden.mjs:/regwarden.mjs:ro \
  node:24.21.0-bookworm-slim node /regwarden.mjs check-deployment /config.json
