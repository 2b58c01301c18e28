import { privateRegistry } from "../../../contract/registries.ts";
import { yamlText } from "../../yaml.ts";
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
 *
 * No `storage.cache`: with it the registry answers 200 to HEAD for a blob that is gone from the disk, until it is
 * restarted, and a client that pushes the blob again learns that it exists. Without it, what is lost is seen at once
 * and a push heals it. It costs a fifth of the HEAD requests a second (1220 against 1600, two cores).
 */
export function privateConfig(): string {
  return configText({
    ...commonConfig(privateRegistry, "168h", {}),
    auth: { htpasswd: { realm: "Registry Realm", path: "/auth/htpasswd" } },
  });
}

/** Configuration of a pull-through cache. The text is a secret when a password is given. */
export function cacheConfig({ name, remoteUrl, username }: CacheSettings, password?: string): string {
  const account = username === undefined ? {} : { username, password };
  return configText({ ...commonConfig(name, "24h", MEMORY), proxy: { remoteurl: remoteUrl, ...account } });
}

/** Sizes of blobs in memory: a cache can fetch again what it has lost. */
const MEMORY = { cache: { blobdescriptor: "inmemory" } };

function commonConfig(
  name: string,
  abandonedUploadAge: string,
  memory: Record<string, unknown>,
): Record<string, unknown> {
  return {
    version: 0.1,
    log: { fields: { service: `registry-${name}` } },
    storage: {
      ...memory,
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
  return `# ${MANAGED_BY}\n${yamlText(config)}`;
}
