import { accessLogDirectory } from "../../../contract/access-log.ts";
import { hostPaths } from "../../../contract/host-paths.ts";
import { jsModule } from "../../../contract/write-freeze.ts";
import type { RegistrySettings } from "../settings.ts";
import { NGINX_CAPABILITIES } from "./nginx-config.ts";
import { FREEZE_HANDLER } from "./nginx-paths.ts";
import { sandboxed } from "./sandbox.ts";
import { JS_MODULE_HINT } from "./write-freeze.ts";

/** Commands that must succeed on a new file before it takes its place; `{}` is its temporary path. */

export const VALIDATE_COMPOSE = "docker compose --file {} config --quiet";

/**
 * A real `nginx -t`, in the image and under the restrictions that it will run with. Without network: backends are
 * variables, so no name is looked up.
 */
export function validateNginx(settings: RegistrySettings): string {
  const { tls, freezeHandler } = hostPaths(settings.directory);
  return nginxTest(settings, [
    "{}:/etc/nginx/nginx.conf:ro",
    `${freezeHandler}:${FREEZE_HANDLER}:ro`,
    `${tls}:/etc/nginx/tls:ro`,
  ]);
}

/** Whether nginx takes the handler, and has what runs it: an image without it is refused before anything is changed. */
export function validateFreezeHandler(settings: RegistrySettings): string {
  // Two braces beside one another would stand for the file.
  const config =
    `load_module ${jsModule}; pid /tmp/nginx.pid; events { } ` +
    `http { ${TEMPORARY_PATHS} js_import freeze from ${FREEZE_HANDLER}; }`;
  const missing = `${settings.images.nginx} has no ${jsModule}, by which nginx holds writes. ${JS_MODULE_HINT}`;
  const script =
    `test -f ${jsModule} || { echo "${missing}" >&2; exit 1; }; ` +
    `echo "${config}" >/tmp/nginx.conf; exec nginx -t -c /tmp/nginx.conf`;
  return nginxTest(settings, [`{}:${FREEZE_HANDLER}:ro`], `sh -c '${script}'`);
}

/** The container's root is read-only: every directory that nginx would make is one that it may write to. */
export const TEMPORARY_PATHS = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
  .map((name) => `${name}_temp_path /tmp/${name};`)
  .join(" ");

/** `nginx -t` with these files, in a container of its own. */
export function nginxTest(
  { images }: RegistrySettings,
  volumes: readonly string[],
  command = "nginx -t",
): string {
  return sandboxed({
    image: images.nginx,
    command,
    network: "none",
    pull: "missing",
    volumes,
    options: [
      `--tmpfs /tmp --tmpfs /run --tmpfs /var/cache/nginx --tmpfs ${accessLogDirectory}`,
      ...NGINX_CAPABILITIES.map((name) => `--cap-add ${name}`),
    ],
  }).join(" ");
}
