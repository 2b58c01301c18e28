#!/bin/sh
# Written by regwarden: a change made here shows as drift and is undone by the next update.
# regwarden COMMAND [OPTION]...; the registries' data is /opt/registry/data
set -eu
access=ro
account=65532:65532
if [ "${1:-}" = repair ]; then
  access=rw
  account=0:0
  shift
  set -- repair --instance registry.example.com:5050 "$@"
fi
terminal=
if [ -t 0 ] && [ -t 1 ] && [ -t 2 ]; then terminal=--tty; fi
exec docker run --rm --pull never --network host --read-only --cap-drop ALL --security-opt no-new-privileges \
  --user "$account" \
  --interactive $terminal --workdir /opt/registry/data \
  --env REG_USER --env REG_PASS --env FROM_USER --env FROM_PASS \
  --volume /opt/registry/data:/opt/registry/data:"$access" \
  --volume /opt/registry/programs/regwarden.mjs:/regwarden.mjs:ro \
  node:24.21.0-bookworm-slim node /regwarden.mjs "$@"
