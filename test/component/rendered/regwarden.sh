#!/bin/sh
# Written by regwarden: a change made here shows as drift and is undone by the next update.
# regwarden COMMAND [OPTION]...; the registries' data is /opt/registry/data
set -eu
access=ro
account=65532:65532
case ${1:-} in repair | retain | gc)
  access=rw
  account=0:0
  ;;
esac
case ${1:-} in repair)
  shift
  set -- repair --instance registry.example.com:5050 "$@"
  ;;
retain)
  # While tags go, nginx holds writes.
  case " $* " in
    *" --offline "* | *" --freeze "* | *" --undo "* | *" --purge "*) ;;
    *" --apply "*) set -- "$@" --freeze /run/regwarden/freeze/flag --freeze-status http://127.0.0.1:5001/freeze ;;
  esac
  ;;
gc)
  # What removes while the registry serves needs nginx to hold writes, and its log.
  case " $* " in
    *" --offline "* | *" --freeze "* | *" --undo "* | *" --purge "* | *" --gate-3x "* | *" --watch "*) ;;
    *" --apply "*) set -- "$@" --freeze /run/regwarden/freeze/flag --freeze-status http://127.0.0.1:5001/freeze --access-log /var/log/regwarden/registry/access.log ;;
  esac
  ;;
esac
terminal=
if [ -t 0 ] && [ -t 1 ] && [ -t 2 ]; then terminal=--tty; fi
exec docker run --rm --pull never --network host --read-only --cap-drop ALL --security-opt no-new-privileges \
  --user "$account" \
  --interactive $terminal --workdir /opt/registry/data \
  --env REG_USER --env REG_PASS --env FROM_USER --env FROM_PASS \
  --volume /opt/registry/data:/opt/registry/data:"$access" \
  --volume /var/log/regwarden/registry:/var/log/regwarden/registry:ro \
  --volume /run/regwarden/freeze:/run/regwarden/freeze:"$access" \
  --volume /opt/registry/programs/retention.json:/opt/registry/programs/retention.json:ro \
  --volume /opt/registry/programs/regwarden.mjs:/regwarden.mjs:ro \
  node:24.21.0-bookworm-slim node /regwarden.mjs "$@"
