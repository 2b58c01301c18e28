import { dirname } from "node:path/posix";
import { units } from "../../../contract/host-names.ts";
import { hostPaths } from "../../../contract/host-paths.ts";
import type { RegistrySettings, TlsOnHost } from "../settings.ts";
import { hardening } from "./hardening.ts";
import { MANAGED_BY } from "./managed-by.ts";
import { reloadNginxFunctions } from "./scripts.ts";
import { timerUnit } from "./timer.ts";
import { nginxTest, TEMPORARY_PATHS } from "./validate.ts";

/** The smallest server that reads both files: whether they belong together, whatever the rest of the configuration says. */
const PROBE_CONFIG =
  `pid /tmp/nginx.pid; events {} http { ${TEMPORARY_PATHS} server { listen 127.0.0.1:8443 ssl; ` +
  "ssl_certificate /etc/nginx/tls/fullchain.pem; ssl_certificate_key /etc/nginx/tls/privkey.pem; } }";

/**
 * Copies a certificate and its key from where another program renews them, once nginx has read both, and reloads nginx.
 * Two files are renewed one after the other: what does not belong together is read again for half a minute. What is
 * refused changes nothing.
 */
export function takeCertificateScript(
  settings: RegistrySettings,
  { certificate, privateKey }: TlsOnHost,
): string {
  const { tls } = hostPaths(settings.directory);
  const test = nginxTest(settings, [
    '"$new/nginx.conf":/etc/nginx/nginx.conf:ro',
    '"$new":/etc/nginx/tls:ro',
  ]);
  return `#!/bin/sh
# ${MANAGED_BY}
set -eu
umask 077
new=$(mktemp -d ${tls}/.new.XXXXXX)
trap 'rm -r -- "$new"' EXIT
printf '%s\\n' '${PROBE_CONFIG}' >"$new/nginx.conf"
read_both() {
  cp -L -- ${certificate} "$new/fullchain.pem" && cp -L -- ${privateKey} "$new/privkey.pem" || return 1
  chmod 0644 "$new/fullchain.pem"
  ${test} || return 1
}
tries=1
until said=$(read_both 2>&1); do
  if [ "$tries" -ge 6 ]; then
    printf '%s\\n' "$said" >&2
    echo "${certificate} and ${privateKey} were not taken: nginx goes on with what it has" >&2
    exit 1
  fi
  tries=$((tries + 1))
  sleep 5
done
is_known() { cmp -s "$new/$1" "${tls}/$1"; }
if is_known fullchain.pem && is_known privkey.pem && ! [ -e ${tls}/.not-reloaded ]; then exit 0; fi
# Whatever ends this script before the reload, the next run does it.
: >${tls}/.not-reloaded
mv -f -- "$new/privkey.pem" "$new/fullchain.pem" ${tls}/
${reloadNginxFunctions()}
# On a first deployment there is none yet.
if is_running; then reload; fi
rm ${tls}/.not-reloaded
`;
}

/** Runs the script; whatever it is started by. */
export function certificateUnit({ directory }: RegistrySettings): string {
  const { takeCertificate, tls } = hostPaths(directory);
  return `# ${MANAGED_BY}
[Unit]
Description=Certificate of the registry, from where it is renewed
After=docker.service
Requires=docker.service
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${takeCertificate}
TimeoutStartSec=300

# The sources may lie anywhere and belong to any account; only the directory that nginx reads is written.
${hardening({
  CapabilityBoundingSet: "CAP_DAC_READ_SEARCH",
  ReadWritePaths: tls,
  RestrictAddressFamilies: "AF_UNIX",
})}
`;
}

/**
 * Starts it when one of the files is renewed. Their directories are watched too: of a link, as certbot makes them, systemd
 * notices what happens to its target, and not that it was replaced by another link.
 */
export function certificatePath({ certificate, privateKey }: TlsOnHost): string {
  const watched = new Set([dirname(certificate), dirname(privateKey), certificate, privateKey]);
  return `# ${MANAGED_BY}
[Unit]
Description=Renewal of the registry's certificate

[Path]
${[...watched].map((path) => `PathChanged=${path}`).join("\n")}
Unit=${units.certificate}

[Install]
WantedBy=multi-user.target
`;
}

/** Starts it once a day as well: a renewal while the last one was being taken is not seen by the path. */
export function certificateTimer(): string {
  return timerUnit(
    "Daily check for a renewed certificate of the registry",
    "OnCalendar=daily",
    "Persistent=true",
    "RandomizedDelaySec=1h",
    `Unit=${units.certificate}`,
  );
}
