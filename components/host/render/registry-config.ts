import { stringify } from "yaml";
import { privateRegistry } from "../../../contract/registries.ts";
import type { CacheSettings } from "../settings.ts";
import { MANAGED_BY } from "./managed-by.ts";

/** Port of the health and metrics server of each registry, inside the compose network only. */
export const DEBUG_PORT = 5001;

/** Seconds that open requests get when a registry is stopped; compose must wait longer than that. */
export const DRAIN_SECONDS = 60;

/**
 * Configuration of the private registry.
 *
 * Source: distribution v2.8.3, configuration/configuration.go. That version ignores keys that it does not know
 * (`filesystem.maxsize`, `proxy.ttl`), so nothing unknown may stand here: it would look like a limit that holds.
 */
export function privateConfig(): string {
  return configText({
    ...commonConfig(privateRegistry, "168h"),
    auth: { htpasswd: { realm: "Registry Realm", path: "/auth/htpasswd" } },
  });
}

/** Configuration of a pull-through cache. The text is a secret when a password is given. */
export function cacheConfig({ name, remoteUrl, username }: CacheSettings, password?: string): string {
  const account = username === undefined ? {} : { username, password };
  return configText({ ...commonConfig(name, "24h"), proxy: { remoteurl: remoteUrl, ...account } });
}

function commonConfig(name: string, abandonedUploadAge: string): Record<string, unknown> {
  return {
    version: 0.1,
    log: { fields: { service: `registry-${name}` } },
    storage: {
      cache: { blobdescriptor: "inmemory" },
      filesystem: { rootdirectory: "/var/lib/registry" },
      // In a cache this is what lets it drop expired blobs; its API refuses a DELETE all the same.
      delete: { enabled: true },
      maintenance: {
        uploadpurging: { enabled: true, age: abandonedUploadAge, interval: "4h", dryrun: false },
      },
    },
    http: {
      addr: ":5000",
      draintimeout: `${DRAIN_SECONDS}s`,
      headers: { "X-Content-Type-Options": ["nosniff"] },
      debug: { addr: `:${DEBUG_PORT}`, prometheus: { enabled: true, path: "/metrics" } },
    },
    health: { storagedriver: { enabled: true, interval: "10s", threshold: 3 } },
  };
}

function configText(config: Record<string, unknown>): string {
  return `# ${MANAGED_BY}\n${stringify(config, { lineWidth: 0 })}`;
}
