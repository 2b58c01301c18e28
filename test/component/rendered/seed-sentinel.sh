set -eu
docker run --rm --pull never --network host --read-only --cap-drop ALL --security-opt no-new-privileges \
  --user 65532:65532 \
  --interactive --memory 512m \
  --add-host registry.example.com:127.0.0.1 --env NODE_EXTRA_CA_CERTS=/ca.pem \
  --volume /opt/registry/tls/fullchain.pem:/ca.pem:ro \
  --volume /opt/registry/programs/check-deployment.json:/config.json:ro \
  --volume /var/lib/regwarden:/report:ro \
  --volume /opt/registry/programs/regwarden.mjs:/regwarden.mjs:ro \
  node:24.21.0-bookworm-slim node /regwarden.mjs seed-sentinel /config.json
