import { defaultDirectory } from "../../contract/host-paths.ts";
import { defaultCaches } from "../../contract/registries.ts";
import type { HostFacts } from "../facts.ts";
import type { Deviation } from "./deviation.ts";
import { planImage } from "./images.ts";
import { cacheSizeOf, type Listener, listenersOf } from "./nginx.ts";
import { planPorts, publishedBy } from "./ports.ts";
import { type FoundRegistry, mountedAt } from "./registries.ts";

/** How the host was reached, and what the operator said. */
export interface Access {
  readonly address: string;
  readonly sshPort: number;
  readonly sshUser: string;
  /** `TYPE BASE64`. */
  readonly hostKey: string;
  /** DNS name of the private registry; undefined: as nginx has it. */
  readonly hostname: string | undefined;
}

/** Values of the configuration by top-level key; what is the default is left out. */
export interface SettingsPlan {
  readonly values: Readonly<Record<string, unknown>>;
  readonly deviations: readonly Deviation[];
  /** What keeps the first update from doing what it should, with what to do about it. */
  readonly blockers: readonly string[];
}

/** The configuration that reproduces what runs. */
export function planSettings(
  facts: HostFacts,
  registries: readonly FoundRegistry[],
  access: Access,
): SettingsPlan {
  const nginx = nginxFacts(facts);
  const { ports, deviations } = planPorts(registries, nginx.listeners, facts);
  const [own, ...others] = registries.filter(({ remoteUrl }) => remoteUrl === undefined);
  const caches = registries.filter(({ remoteUrl }) => remoteUrl !== undefined);
  const hostname = access.hostname ?? hostnameOf(nginx.listeners, ports.private);
  const ui = planUi(facts);
  const images = planImages(facts, registries, nginx.containers, ui.containers);
  return {
    values: withoutDefaults({
      host: {
        address: access.address,
        ...(access.sshPort === 22 ? {} : { sshPort: access.sshPort }),
        ...(access.sshUser === "root" ? {} : { sshUser: access.sshUser }),
        hostKey: access.hostKey,
        ...(facts.directory === defaultDirectory ? {} : { directory: facts.directory }),
        ...(facts.dataMount === undefined ? {} : { dataMount: facts.dataMount }),
      },
      registry: hostname === undefined ? undefined : { hostname },
      private: ports.private === undefined || ports.private === 5050 ? undefined : { port: ports.private },
      caches: cachesValue(caches, ports),
      images: images.values,
      ui: ui.value,
    }),
    deviations: [...deviations, ...images.deviations, ...ui.deviations, ...cacheSize(nginx.text)],
    blockers: [
      ...(own === undefined ? ["no private registry was found: there is nothing to protect here"] : []),
      ...others.map(
        ({ container }) => `${container.name} is another private registry; the stack has one: move it first`,
      ),
      ...(hostname === undefined
        ? ["the private registry's DNS name is not known (nginx names none): give it with --hostname"]
        : []),
      ...misplacedData(registries, facts.directory),
    ],
  };
}

function nginxFacts({ containers, texts }: HostFacts) {
  const found = containers.filter(({ image }) => /(^|\/)nginx(:|@|$)/.test(image));
  const text = found
    .map((container) => texts.get(mountedAt(container, "/etc/nginx/nginx.conf") ?? ""))
    .find((each) => each !== undefined);
  return { containers: found, text, listeners: text === undefined ? [] : listenersOf(text) };
}

function hostnameOf(listeners: readonly Listener[], port: number | undefined): string | undefined {
  return listeners.find((each) => each.isTls && (port === undefined || each.port === port))?.names[0];
}

function cachesValue(caches: readonly FoundRegistry[], ports: Readonly<Record<string, number>>): unknown {
  const value = caches.map(({ name, remoteUrl, config }) => ({
    name,
    port: ports[name],
    remoteUrl,
    ...(config.proxy?.username === undefined ? {} : { username: config.proxy.username }),
  }));
  const order = defaultCaches.map(({ name }): string => name);
  const sorted = value.sort((a, b) => place(order, a.name) - place(order, b.name));
  return JSON.stringify(sorted) === JSON.stringify(defaultCaches) ? undefined : sorted;
}

function place(order: readonly string[], name: string): number {
  const at = order.indexOf(name);
  return at === -1 ? order.length : at;
}

function planImages(
  { images }: HostFacts,
  registries: readonly FoundRegistry[],
  nginx: HostFacts["containers"],
  ui: HostFacts["containers"],
) {
  const plans = {
    registry: planImage(
      "registry",
      registries.map(({ container }) => container),
      images,
    ),
    nginx: planImage("nginx", nginx, images),
    ui: planImage("ui", ui, images),
  };
  const named = Object.entries(plans).filter(([, { reference }]) => reference !== undefined);
  return {
    values:
      named.length === 0
        ? undefined
        : Object.fromEntries(named.map(([role, { reference }]) => [role, reference])),
    deviations: Object.values(plans).flatMap(({ deviations }) => deviations),
  };
}

const titleRule = /^[\w .,:()-]+$/;

function planUi({ containers }: HostFacts) {
  const found = containers.filter(({ image }) => image.includes("docker-registry-ui"));
  const [ui] = found;
  if (ui === undefined) return { containers: found, value: { enabled: false }, deviations: [] };
  const { REGISTRY_TITLE: title = "", NGINX_PROXY_PASS_URL: backend = "", DELETE_IMAGES } = ui.environment;
  const port = publishedBy([ui])[0]?.host ?? 8080;
  const value = {
    ...(port === 8080 ? {} : { port }),
    ...(titleRule.test(title) ? { title } : {}),
  };
  const deviations: Deviation[] = [
    {
      what: `UI on port ${port}`,
      was: "plain HTTP, without an account",
      becomes: "TLS, behind the private registry's account",
      why: "it lists every image to whoever reaches the port; a proxy in front of it must speak HTTPS to it",
    },
  ];
  if (backend !== "" && !backend.includes("registry-private"))
    deviations.push({
      what: "UI's registry",
      was: backend,
      becomes: "the private registry",
      why: "it showed a cache, whose contents come and go by themselves",
    });
  if (DELETE_IMAGES === "true")
    deviations.push({
      what: "UI's deletion of images",
      was: "on",
      becomes: "off",
      why: "a click deletes what an index or a running workload needs; retention has a plan and an undo",
    });
  return { containers: found, value: Object.keys(value).length === 0 ? undefined : value, deviations };
}

function cacheSize(text: string | undefined): Deviation[] {
  const size = text === undefined ? undefined : cacheSizeOf(text);
  if (size === undefined) return [];
  return [
    {
      what: "nginx's cache of blobs",
      was: `up to ${size}`,
      becomes: "up to 1Gi (blobCache.size)",
      why: "the caches hold the same blobs on the same disk",
    },
  ];
}

/** Data is never moved by an update, so it must be where the stack looks for it. */
function misplacedData(registries: readonly FoundRegistry[], directory: string): string[] {
  return registries
    .filter(
      ({ remoteUrl, name, dataPath }) => remoteUrl === undefined && dataPath !== `${directory}/data/${name}`,
    )
    .map(
      ({ name, dataPath }) =>
        `the data of ${name} is in ${dataPath.startsWith("/") ? dataPath : `Docker's volume ${dataPath}`}, and the stack looks for it in ${directory}/data/${name}: stop that container and move it there, or mount it there (mount --bind)`,
    );
}

function withoutDefaults(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
