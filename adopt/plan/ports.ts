import { defaultCaches, privateRegistry } from "../../contract/registries.ts";
import type { ContainerFact, HostFacts } from "../facts.ts";
import type { Deviation } from "./deviation.ts";
import type { Listener } from "./nginx.ts";
import type { FoundRegistry } from "./registries.ts";

/** Which port each registry answers on. */
export interface PortPlan {
  /** By registry name. */
  readonly ports: Readonly<Record<string, number>>;
  readonly deviations: readonly Deviation[];
}

/** A port that the host publishes, with the container behind it. */
interface Published {
  readonly host: number;
  readonly inside: number;
  readonly container: ContainerFact;
}

/** Ports that containers publish. */
export function publishedBy(containers: readonly ContainerFact[]): Published[] {
  return containers.flatMap((container) =>
    container.ports.map((text) => {
      const [host = "", inside = ""] = text.split(":");
      return { host: Number(host), inside: Number(inside), container };
    }),
  );
}

/**
 * A registry keeps the port that it answers on: of the listener in front of it, else of its own. One that answers on
 * none gets the port that is published for it and that no listener has.
 */
export function planPorts(
  registries: readonly FoundRegistry[],
  listeners: readonly Listener[],
  { containers }: Pick<HostFacts, "containers">,
): PortPlan {
  const published = publishedBy(containers);
  const ports: Record<string, number> = {};
  const deviations: Deviation[] = [];
  for (const { name, container } of registries) {
    const port = ownPort(container, listeners, published);
    if (port !== undefined) ports[name] = port;
  }
  const taken = () => [...Object.values(ports), ...listeners.map(({ port }) => port)];
  const idle = published
    .map(({ host }) => host)
    .filter((port) => !taken().includes(port) && containerOf(port, published)?.name.includes("nginx"));
  for (const { name } of registries.filter((each) => ports[each.name] === undefined)) {
    const usual = defaultCaches.find((cache) => cache.name === name)?.port ?? 5050;
    const port =
      [usual, ...idle].find((each) => idle.includes(each) && !taken().includes(each)) ?? free(usual, taken());
    ports[name] = port;
    deviations.push({
      what: `port ${port}, ${name}`,
      was: idle.includes(port)
        ? "published, and nothing in nginx listens: connections are reset"
        : "the registry answers on no port of the host",
      becomes: `nginx answers for the ${name === privateRegistry ? "private registry" : `cache ${name}`}`,
      why: "every registry of the stack has a listener; leave the cache out of `caches` to have none",
    });
  }
  return { ports, deviations };
}

function ownPort(
  container: ContainerFact,
  listeners: readonly Listener[],
  published: readonly Published[],
): number | undefined {
  const own = published.find((each) => each.container === container && each.inside === 5000);
  const service = container.labels["com.docker.compose.service"];
  const names = [container.name, ...(service === undefined ? [] : [service])];
  const inFront = listeners.find(({ backends }) => backends.some((backend) => names.includes(backend)));
  if (inFront === undefined) return own?.host;
  // nginx listens in its container; what clients use is what is published for it.
  return (
    published.find(({ inside, container: { name } }) => inside === inFront.port && name.includes("nginx"))
      ?.host ?? inFront.port
  );
}

function containerOf(port: number, published: readonly Published[]): ContainerFact | undefined {
  return published.find(({ host }) => host === port)?.container;
}

function free(from: number, taken: readonly number[]): number {
  let candidate = from;
  while (taken.includes(candidate)) candidate += 10;
  return candidate;
}
