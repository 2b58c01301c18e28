import { accessLogDirectory, accessLogPath } from "../../../contract/access-log.ts";
import { variables } from "../../../contract/environment.ts";
import { programUid } from "../../../contract/host-names.ts";
import { hostPaths } from "../../../contract/host-paths.ts";
import { freezeDirectory } from "../../../contract/write-freeze.ts";
import { localAddress, type RegistrySettings } from "../settings.ts";
import { MANAGED_BY } from "./managed-by.ts";
import { programCommand } from "./sandbox.ts";
import { freezeFlags } from "./write-freeze.ts";

/** Accounts that commands read from the environment; Docker passes on those that are set, and no value is an argument. */
const ACCOUNT_VARIABLES = [
  variables.registryUser,
  variables.registryPassword,
  variables.sourceUser,
  variables.sourcePassword,
];

/**
 * What a person types on the host: the programs in the pinned Node container, the data under its own path. Only what
 * repairs, retains or collects may write, and then as the owner of the store; everything else reads, as an account that
 * owns nothing.
 */
export function launcherScript(settings: RegistrySettings): string {
  const { directory, hostname } = settings;
  const { data, retentionRules } = hostPaths(directory);
  const freeze = freezeFlags(`${localAddress(settings)}:${settings.metrics.port}`);
  const run = programCommand(settings, {
    command: '"$@"',
    network: "host",
    volumes: [
      `${data}:${data}:"$access"`,
      `${accessLogDirectory}:${accessLogDirectory}:ro`,
      `${freezeDirectory}:${freezeDirectory}:"$access"`,
      `${retentionRules}:${retentionRules}:ro`,
    ],
    options: [
      `--interactive $terminal --workdir ${data}`,
      ACCOUNT_VARIABLES.map((name) => `--env ${name}`).join(" "),
    ],
    user: '"$account"',
  });
  return `#!/bin/sh
# ${MANAGED_BY}
# regwarden COMMAND [OPTION]...; the registries' data is ${data}
set -eu
access=ro
account=${programUid}:${programUid}
case \${1:-} in repair | retain | gc)
  access=rw
  account=0:0
  ;;
esac
case \${1:-} in repair)
  shift
  set -- repair --instance ${hostname}:${settings.private.port} "$@"
  ;;
retain)
  # While tags go, nginx holds writes.
  case " $* " in
    *" --offline "* | *" --freeze "* | *" --undo "* | *" --purge "*) ;;
    *" --apply "*) set -- "$@" ${freeze} ;;
  esac
  ;;
gc)
  # What removes while the registry serves needs nginx to hold writes, and its log.
  case " $* " in
    *" --offline "* | *" --freeze "* | *" --undo "* | *" --purge "* | *" --gate-3x "* | *" --watch "*) ;;
    *" --apply "*) set -- "$@" ${freeze} --access-log ${accessLogPath} ;;
  esac
  ;;
esac
terminal=
if [ -t 0 ] && [ -t 1 ] && [ -t 2 ]; then terminal=--tty; fi
exec ${run}
`;
}
