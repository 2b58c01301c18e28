import { isIPv4 } from "node:net";
import * as v from "valibot";
import { defaultDirectory } from "../contract/host-paths.ts";
import { pinnedImages } from "../contract/images.ts";
import { defaultCaches } from "../contract/registries.ts";
import { clusterSchema } from "./cluster-schema.ts";
import { isPinnedImage } from "./images.ts";

/** What each key of the namespace `regwarden` may hold. The texts for people stand in rules.ts, under the same keys. */

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const RESERVED_CACHE_NAMES = ["private", "nginx", "ui", "scan"];

const isDnsName = (name: string): boolean =>
  name.length <= 253 && name.split(".").every((label) => DNS_LABEL.test(label)) && !/(^|\.)\d+$/.test(name);

const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const dnsName = v.pipe(v.string(), v.check(isDnsName));
const ipv4 = v.pipe(v.string(), v.check(isIPv4));
const hostAddress = v.pipe(
  v.string(),
  v.check((text) => isDnsName(text) || isIPv4(text)),
);
const image = v.pipe(v.string(), v.check(isPinnedImage));
const vaultPath = v.pipe(v.string(), v.regex(/^[\w.-]+(\/[\w.-]+)*$/));
// These end up in shell lines, unit files and YAML: plain characters only, so that nothing needs quoting.
const directory = v.pipe(v.string(), v.regex(/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/));
const calendar = v.pipe(v.string(), v.regex(/^[\w*:.,/~ -]+$/));
const title = v.pipe(v.string(), v.regex(/^[\w .,:()-]+$/));

const remoteUrl = v.pipe(
  v.string(),
  v.check((text) => {
    const url = URL.parse(text);
    if (url === null || !["http:", "https:"].includes(url.protocol)) return false;
    return url.username === "" && url.password === "" && url.pathname === "/" && !text.endsWith("/");
  }),
);

const cache = v.strictObject({
  name: v.pipe(
    v.string(),
    v.check((name) => DNS_LABEL.test(name) && !RESERVED_CACHE_NAMES.includes(name)),
  ),
  port,
  remoteUrl,
  username: v.optional(v.pipe(v.string(), v.minLength(1))),
});

const DEFAULT_CACHES = defaultCaches.map((cache) => ({ ...cache }));

const settingSchemas = {
  host: v.strictObject({
    address: hostAddress,
    sshPort: v.optional(port, 22),
    sshUser: v.optional(v.pipe(v.string(), v.regex(/^[a-z_][a-z0-9_-]*$/)), "root"),
    hostKey: v.optional(
      v.pipe(v.string(), v.regex(/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) AAAA[\w+/]+=*$/)),
    ),
    agentSocketPath: v.optional(v.pipe(v.string(), v.regex(/^\/\S+$/))),
    directory: v.optional(directory, defaultDirectory),
  }),
  registry: v.strictObject({ hostname: dnsName }),
  private: v.optional(v.strictObject({ port: v.optional(port, 5050) }), {}),
  caches: v.optional(v.array(cache), DEFAULT_CACHES),
  images: v.optional(
    v.strictObject({
      registry: v.optional(image, pinnedImages.registry),
      nginx: v.optional(image, pinnedImages.nginx),
      ui: v.optional(image, pinnedImages.ui),
      node: v.optional(image, pinnedImages.node),
    }),
    {},
  ),
  ui: v.optional(
    v.strictObject({
      enabled: v.optional(v.boolean(), true),
      port: v.optional(port, 8080),
      title: v.optional(title, "Docker registry"),
    }),
    {},
  ),
  metrics: v.optional(v.strictObject({ port: v.optional(port, 5001) }), {}),
  listenAddress: v.optional(ipv4, "0.0.0.0"),
  scan: v.optional(v.strictObject({ onCalendar: v.optional(calendar, "*-*-* 02:30:00") }), {}),
  dns: v.optional(
    v.strictObject({
      servers: v.pipe(v.array(ipv4), v.minLength(1)),
      searchDomains: v.optional(v.array(dnsName), []),
    }),
  ),
  secretsSource: v.optional(v.picklist(["config", "vault"]), "config"),
  vault: v.optional(
    v.strictObject({
      address: v.optional(v.pipe(v.string(), v.regex(/^https?:\/\/[^\s/@]+$/))),
      mount: v.optional(vaultPath, "secret"),
      sshKey: v.optional(vaultPath, "woodpecker/registry_ssh_key"),
      account: v.optional(vaultPath, "viktor"),
      tls: v.optional(vaultPath),
      cachePasswords: v.optional(vaultPath),
      driveSync: v.optional(vaultPath),
    }),
    {},
  ),
  cluster: v.optional(clusterSchema, {}),
};

/** Everything that may be set and is not a secret. */
export const settingsSchema = v.strictObject(settingSchemas);

/** The settings with all defaults filled in. */
export type Settings = v.InferOutput<typeof settingsSchema>;

/** Settings that are objects or lists: Pulumi hands them over as JSON. */
export const STRUCTURED_KEYS: ReadonlySet<string> = new Set(
  Object.keys(settingSchemas).filter((key) => !["listenAddress", "secretsSource"].includes(key)),
);

/** Keys that hold text which no message may show. `cachePasswords` is an object by cache name, `driveSyncConfigs` by site. */
export const SECRET_KEYS = [
  "sshPrivateKey",
  "registryUser",
  "registryPassword",
  "tlsCertificate",
  "tlsPrivateKey",
  "cachePasswords",
  "driveSyncConfigs",
] as const;

/** PEM text of the authority that signed the certificate: no secret, yet too long for the settings. */
export const AUTHORITY_KEY = "tlsAuthority";
