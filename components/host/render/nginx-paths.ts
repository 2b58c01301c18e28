import { dirname } from "node:path/posix";
import { freezeHandler } from "../../../contract/write-freeze.ts";

/** Path of nginx's configuration in its container; its directory is mounted. */
export const NGINX_CONFIG = "/etc/nginx/regwarden/nginx.conf";

/** Path of the handler that holds writes, in the container. */
export const FREEZE_HANDLER = `${dirname(NGINX_CONFIG)}/${freezeHandler}`;
