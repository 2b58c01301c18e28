import { hostPaths } from "../../../contract/host-paths.ts";
import type { RegistrySettings } from "../settings.ts";

/** Commands that must succeed on a new file before it takes its place; `{}` is its temporary path. */

export const VALIDATE_COMPOSE = "docker compose --file {} config --quiet";

/**
 * A real `nginx -t`, in the image and under the restrictions that it will run with. Without network: backends are
 * variables, so no name is looked up.
 */
export function validateNginx({ directory, images }: RegistrySettings): string {
  return [
    "docker run --rm --network none --read-only --tmpfs /tmp --tmpfs /run --tmpfs /var/cache/nginx",
    "--cap-drop ALL --cap-add CHOWN --cap-add SETGID --cap-add SETUID --security-opt no-new-privileges",
    `--volume {}:/etc/nginx/nginx.conf:ro --volume ${hostPaths(directory).tls}:/etc/nginx/tls:ro`,
    `${images.nginx} nginx -t`,
  ].join(" ");
}
