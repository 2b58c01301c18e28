import { hostPaths } from "../../../contract/host-paths.ts";
import type { RegistrySettings } from "../settings.ts";
import { NGINX_CAPABILITIES } from "./nginx-config.ts";
import { sandboxed } from "./sandbox.ts";

/** Commands that must succeed on a new file before it takes its place; `{}` is its temporary path. */

export const VALIDATE_COMPOSE = "docker compose --file {} config --quiet";

/**
 * A real `nginx -t`, in the image and under the restrictions that it will run with. Without network: backends are
 * variables, so no name is looked up.
 */
export function validateNginx(settings: RegistrySettings): string {
  const { tls } = hostPaths(settings.directory);
  return nginxTest(settings, ["{}:/etc/nginx/nginx.conf:ro", `${tls}:/etc/nginx/tls:ro`]);
}

/** `nginx -t` with these files, in a container of its own. */
export function nginxTest({ images }: RegistrySettings, volumes: readonly string[]): string {
  return sandboxed({
    image: images.nginx,
    command: "nginx -t",
    network: "none",
    pull: "missing",
    volumes,
    options: [
      "--tmpfs /tmp --tmpfs /run --tmpfs /var/cache/nginx",
      ...NGINX_CAPABILITIES.map((name) => `--cap-add ${name}`),
    ],
  }).join(" ");
}
