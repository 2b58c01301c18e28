import { dirname } from "node:path/posix";
import { accessLogDirectory } from "../../../contract/access-log.ts";
import {
  composeProject,
  containers,
  registryContainer,
  revisionLabel,
} from "../../../contract/host-names.ts";
import {
  dataMarker,
  type HostPaths,
  hostPaths,
  reportDirectory,
  storeMount,
} from "../../../contract/host-paths.ts";
import { privateRegistry } from "../../../contract/registries.ts";
import { freezeDirectory } from "../../../contract/write-freeze.ts";
import { yamlText } from "../../yaml.ts";
import {
  type ContainerLimits,
  lowerUnit,
  type OutboundProxy,
  type RegistrySettings,
  registryNames,
} from "../settings.ts";
import { MANAGED_BY } from "./managed-by.ts";
import { NGINX_CAPABILITIES, publishedPorts, UI_CONTAINER_PORT } from "./nginx-config.ts";
import { NGINX_CONFIG } from "./nginx-paths.ts";
import { DRAIN_SECONDS } from "./registry-config.ts";
import { revision } from "./revision.ts";

/** Fingerprints of the files that are mounted into containers. */
export interface MountedFiles {
  /** By registry name. */
  readonly registryConfigs: Readonly<Record<string, string>>;
}

/** A service of the compose file. */
export interface ComposeService extends Readonly<Record<string, unknown>> {
  readonly container_name: string;
  readonly image: string;
  readonly labels: Readonly<Record<typeof revisionLabel, string>>;
}

type Definition = Omit<ComposeService, "labels"> & Pick<ComposeService, "container_name" | "image">;

/** Names of the services that stand in front of the registries. */
export const NGINX_SERVICE = "nginx";
export const UI_SERVICE = "ui";

/** Which services there are, with their container names. Known without any secret or resource. */
export function serviceContainers(
  settings: RegistrySettings,
): Record<string, { container: string; image: string }> {
  const services = Object.entries(definitions(settings));
  return Object.fromEntries(
    services.map(([name, { container_name, image }]) => [name, { container: container_name, image }]),
  );
}

/** All services with their revisions. */
export function composeServices(
  settings: RegistrySettings,
  mounted: MountedFiles,
): Record<string, ComposeService> {
  const services = Object.entries(definitions(settings)).map(([name, definition]) => {
    const label = revision(definition, mountedInto(name, mounted));
    return [name, { ...definition, labels: { [revisionLabel]: label } }];
  });
  return Object.fromEntries(services);
}

/** The compose file. */
export function composeText(services: Readonly<Record<string, ComposeService>>): string {
  const file = {
    name: composeProject,
    services,
    networks: { registry: { driver: "bridge" } },
    volumes: { "nginx-cache": {} },
  };
  return `# ${MANAGED_BY}\n${yamlText(file)}`;
}

// Only what a process reads once, at its start: nginx reloads its files, and the registry reads each new password file.
function mountedInto(service: string, mounted: MountedFiles): Record<string, string> {
  if (service === NGINX_SERVICE || service === UI_SERVICE) return {};
  const registry = service.slice(registryContainer("").length);
  const config = mounted.registryConfigs[registry];
  if (config === undefined) throw new Error(`no configuration for the registry ${registry}`);
  return { config };
}

function definitions(settings: RegistrySettings): Record<string, Definition> {
  const paths = hostPaths(settings.directory);
  const registries = registryNames(settings).map((name) => [
    registryContainer(name),
    registry(name, settings, paths),
  ]);
  return {
    ...(Object.fromEntries(registries) as Record<string, Definition>),
    [NGINX_SERVICE]: nginx(settings, paths),
    ...(settings.ui.enabled ? { [UI_SERVICE]: ui(settings) } : {}),
  };
}

function registry(name: string, settings: RegistrySettings, paths: HostPaths): Definition {
  const { images, limits, outboundProxy } = settings;
  const isPrivate = name === privateRegistry;
  const passwords = readOnly(paths.auth, "/auth");
  return {
    container_name: registryContainer(name),
    image: images.registry,
    ...common,
    ...limited(limits.registry),
    ...(isPrivate || outboundProxy === undefined ? {} : { environment: proxyEnvironment(outboundProxy) }),
    cap_drop: ["ALL"],
    read_only: true,
    stop_grace_period: STOP_GRACE,
    volumes: [
      bind(paths.registryData(name), storeMount),
      readOnly(paths.registryConfig(name), "/etc/docker/registry/config.yml"),
      ...(isPrivate ? [passwords] : []),
    ],
    healthcheck: healthcheck(isPrivate ? asksForPassword : answers("http://127.0.0.1:5000/v2/")),
  };
}

function nginx(settings: RegistrySettings, paths: HostPaths): Definition {
  return {
    container_name: containers.nginx,
    image: settings.images.nginx,
    // Its own file and not the image's: a directory is mounted, see HostPaths.nginx.
    command: ["nginx", "-c", NGINX_CONFIG, "-g", "daemon off;"],
    ...common,
    ...limited(settings.limits.nginx),
    // Ends when the transfers that run have ended.
    stop_signal: "SIGQUIT",
    stop_grace_period: STOP_GRACE,
    cap_drop: ["ALL"],
    cap_add: [...NGINX_CAPABILITIES],
    read_only: true,
    tmpfs: ["/tmp", "/run"],
    ports: publishedPorts(settings).map((port) => `${settings.listenAddress}:${port}:${port}`),
    volumes: [
      readOnly(paths.nginx, dirname(NGINX_CONFIG)),
      readOnly(paths.tls, "/etc/nginx/tls"),
      readOnly(reportDirectory, reportDirectory),
      readOnly(freezeDirectory, freezeDirectory),
      bind(accessLogDirectory, accessLogDirectory),
      { type: "volume", source: "nginx-cache", target: "/var/cache/nginx" },
    ],
    healthcheck: healthcheck(answers(`http://127.0.0.1:${settings.metrics.port}/healthz`)),
  };
}

// Its start script edits its own files with sed: no read-only root, and root needs to write what nginx owns.
function ui({ images, limits, ui: { title } }: RegistrySettings): Definition {
  return {
    container_name: containers.ui,
    image: images.ui,
    ...common,
    ...limited(limits.ui),
    cap_drop: ["ALL"],
    cap_add: ["CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"],
    environment: {
      SINGLE_REGISTRY: "true",
      REGISTRY_TITLE: title,
      DELETE_IMAGES: "false",
      SHOW_CONTENT_DIGEST: "true",
      SHOW_CATALOG_NB_TAGS: "true",
      CATALOG_ELEMENTS_LIMIT: "1000",
      TAGLIST_PAGE_SIZE: "100",
    },
    healthcheck: healthcheck(answers(`http://127.0.0.1:${UI_CONTAINER_PORT}/`)),
  };
}

/** More than the registries need to drain. */
const STOP_GRACE = `${DRAIN_SECONDS + 10}s`;

const common = {
  restart: "always",
  networks: ["registry"],
  security_opt: ["no-new-privileges:true"],
  logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
};

/** Swap would only delay the end of a container that needs more than its share. */
function limited({ memory, processes }: ContainerLimits): Record<string, unknown> {
  const size = lowerUnit(memory);
  return { mem_limit: size, memswap_limit: size, pids_limit: processes };
}

// Both spellings: programs differ in which they read.
export function proxyEnvironment({ url, noProxy }: OutboundProxy): Record<string, string> {
  const variables = {
    http_proxy: url,
    https_proxy: url,
    no_proxy: ["127.0.0.1", "localhost", ...noProxy].join(","),
  };
  const upper = Object.entries(variables).map(([name, value]) => [name.toUpperCase(), value]);
  return { ...Object.fromEntries(upper), ...variables };
}

// 127.0.0.1 and not localhost: that may mean ::1, where nothing listens.
const answers = (url: string): string[] => ["CMD", "wget", "-q", "-O", "/dev/null", url];

// 200 here would mean that the registry asks no client for a password. Without the marker it serves an empty
// directory, as after a boot with the data disk not mounted.
const asksForPassword = [
  "CMD-SHELL",
  `test -f ${storeMount}/${dataMarker} && ` +
    "wget -S -O /dev/null http://127.0.0.1:5000/v2/ 2>&1 | grep -q '401 Unauthorized'",
];

// start_interval (Docker 25 and newer) lets `up --wait` end in seconds and not after the first interval.
function healthcheck(test: string[]): Record<string, unknown> {
  return { test, interval: "30s", timeout: "10s", retries: 3, start_period: "15s", start_interval: "1s" };
}

// A file that is missing must be an error: by default Docker would make an empty directory of that name.
function bind(source: string, target: string): Record<string, unknown> {
  return { type: "bind", source, target, bind: { create_host_path: false } };
}

function readOnly(source: string, target: string): Record<string, unknown> {
  return { ...bind(source, target), read_only: true };
}
