import * as v from "valibot";
import { pinnedImages } from "../contract/images.ts";
import { defaultCaches, privateRegistry } from "../contract/registries.ts";
import { type Fault, sameNameFaults } from "./faults.ts";
import { binarySize, calendar, cidr, dnsLabel, dnsName, image, ipv4, port, trueOrFalse } from "./formats.ts";
import { described, example, withDefault } from "./setting.ts";

/** What runs on the VM: the private registry, its caches, the UI, their ports and images, the scan. */

/** Each has a container, a metrics path or a service of that name already. */
const RESERVED_CACHE_NAMES = [privateRegistry, "nginx", "ui", "scan"];

const cacheName = described(
  `a DNS label, other than ${RESERVED_CACHE_NAMES.slice(0, -1).join(", ")} and scan`,
  v.pipe(
    dnsLabel,
    v.check((name) => !RESERVED_CACHE_NAMES.includes(name)),
  ),
);
const remoteUrl = described(
  "the remote registry's URL: http or https, no path, no trailing slash, no credentials",
  v.pipe(v.string(), v.check(isRemoteUrl)),
);
const username = described("the account at the remote registry", v.pipe(v.string(), v.minLength(1)));

const networks = described(
  "at least one network that may pull; every other address gets 403",
  v.pipe(v.array(example(cidr, "10.0.0.0/8")), v.minLength(1)),
);

const cache = v.strictObject({
  name: example(cacheName, "ghcr"),
  port: example(port, "5010"),
  remoteUrl: example(remoteUrl, "https://ghcr.io"),
  username: v.optional(example(username, "octocat")),
  allowFrom: v.optional(networks),
});

const pullUser = described(
  "a user name of letters, digits, dots, dashes and underscores, at most 64",
  v.pipe(v.string(), v.regex(/^[A-Za-z0-9][\w.-]{0,63}$/)),
);

const processes = described(
  "a whole number of processes and threads, from 16 to 65536",
  v.pipe(v.number(), v.integer(), v.minValue(16), v.maxValue(65_536)),
);
// Many more than nginx needs at once: after each reload the old workers stay until their last transfer has ended.
const limits = (memory: string, most: number) =>
  v.optional(
    v.strictObject({ memory: withDefault(binarySize, memory), processes: withDefault(processes, most) }),
    {},
  );

// They end up in unit files, YAML and shell lines: plain characters only, so that nothing needs quoting.
const title = described(
  "letters, digits, spaces and . , : ( ) - only",
  v.pipe(v.string(), v.regex(/^[\w .,:()-]+$/)),
);
const listenAddress = described("an IPv4 address of the VM; 0.0.0.0 means all of them", ipv4);
const hostname = described("the registry's DNS name, in lower case", dnsName);

export const registryEntries = {
  registry: v.strictObject({ hostname: example(hostname, "registry.example.com") }),
  private: v.optional(
    v.strictObject({
      port: withDefault(port, 5050),
      pullUser: v.optional(example(pullUser, "reader")),
    }),
    {},
  ),
  caches: v.optional(
    v.array(cache),
    defaultCaches.map((one) => ({ ...one })),
  ),
  blobCache: v.optional(
    v.strictObject({ size: withDefault(binarySize, "1Gi"), minFree: withDefault(binarySize, "2Gi") }),
    {},
  ),
  limits: v.optional(
    v.strictObject({ registry: limits("1Gi", 1024), nginx: limits("512Mi", 1024), ui: limits("128Mi", 128) }),
    {},
  ),
  images: v.optional(
    v.strictObject({
      registry: withDefault(image, pinnedImages.registry),
      nginx: withDefault(image, pinnedImages.nginx),
      ui: withDefault(image, pinnedImages.ui),
      node: withDefault(image, pinnedImages.node),
    }),
    {},
  ),
  ui: v.optional(
    v.strictObject({
      enabled: withDefault(trueOrFalse, true),
      port: withDefault(port, 8080),
      title: withDefault(title, "Docker registry"),
    }),
    {},
  ),
  metrics: v.optional(v.strictObject({ port: withDefault(port, 5001) }), {}),
  listenAddress: withDefault(listenAddress, "0.0.0.0"),
  scan: v.optional(v.strictObject({ onCalendar: withDefault(calendar, "*-*-* 02:30:00") }), {}),
};

const schema = v.strictObject(registryEntries);
type RegistrySettings = v.InferOutput<typeof schema>;

function isRemoteUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol)) return false;
  return url.username === "" && url.password === "" && url.pathname === "/" && !text.endsWith("/");
}

/** Rules that join several keys. They see only what the schema found to have the right types. */
export function registryFaults(settings: Partial<RegistrySettings>, sshPort: number | undefined): Fault[] {
  return [...portFaults(settings, sshPort), ...sameNameFaults("caches", settings.caches ?? [])];
}

/** What is allowed, and hardly ever meant. */
export function registryWarnings({ caches }: Pick<RegistrySettings, "caches">): string[] {
  return caches.flatMap(({ name, username, allowFrom }, at) =>
    username === undefined || allowFrom !== undefined
      ? []
      : [
          `regwarden:caches[${at}] (${name}) has an account at its remote registry and answers every client that ` +
            `reaches its port, with all that the account may pull. Name who may: regwarden:caches[${at}].allowFrom`,
        ],
  );
}

interface PortUse {
  readonly key: string;
  readonly port: number;
}

function portFaults(settings: Partial<RegistrySettings>, sshPort: number | undefined): Fault[] {
  const uses = portUses(settings, sshPort);
  const firstUse = new Map<number, string>();
  return uses.flatMap(({ key, port }) => {
    const other = firstUse.get(port);
    if (other === undefined) {
      firstUse.set(port, key);
      return [];
    }
    const rule = `a port of its own: regwarden:${other} has the same`;
    return [{ key, value: String(port), rule, example: String(freePort(uses)) }];
  });
}

// The SSH port comes first: a clash then blames the port that can be moved.
function portUses(settings: Partial<RegistrySettings>, sshPort: number | undefined): PortUse[] {
  const { private: own, caches = [], ui, metrics } = settings;
  return [
    ...(sshPort === undefined ? [] : [{ key: "host.sshPort", port: sshPort }]),
    ...(own ? [{ key: "private.port", port: own.port }] : []),
    ...caches.map(({ port }, at) => ({ key: `caches[${at}].port`, port })),
    ...(ui?.enabled ? [{ key: "ui.port", port: ui.port }] : []),
    ...(metrics ? [{ key: "metrics.port", port: metrics.port }] : []),
  ];
}

function freePort(uses: readonly PortUse[]): number {
  const taken = new Set(uses.map(({ port }) => port));
  let candidate = 5060;
  while (taken.has(candidate)) candidate += 10;
  return candidate;
}
