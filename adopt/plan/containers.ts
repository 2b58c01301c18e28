import { serviceContainers } from "../../components/host/render/compose.ts";
import { publishedPorts } from "../../components/host/render/nginx-config.ts";
import type { RegistrySettings } from "../../components/host/settings.ts";
import { composeProject, revisionLabel } from "../../contract/host-names.ts";
import type { ContainerFact, HostFacts } from "../facts.ts";
import { publishedBy } from "./ports.ts";

/** What the first update does with a container. */
export interface ContainerPlan {
  readonly name: string;
  readonly action: "keep" | "recreate" | "make" | "put aside" | "remove";
  readonly reasons: readonly string[];
}

/** Service label of compose. */
const serviceLabel = "com.docker.compose.service";
const projectLabel = "com.docker.compose.project";

/**
 * What becomes of each container. `revisions`: label of each service as the stack makes it; undefined for one that holds
 * a secret, which is not known here.
 */
export function planContainers(
  { containers }: Pick<HostFacts, "containers">,
  settings: RegistrySettings,
  revisions: Readonly<Record<string, string | undefined>>,
): ContainerPlan[] {
  const services = Object.entries(serviceContainers(settings));
  const declared = services.map(([service, wanted]): ContainerPlan => {
    const found = containers.find(({ name }) => name === wanted.container);
    const name = wanted.container;
    if (found === undefined) return { name, action: "make", reasons: ["there is none of this name"] };
    if (found.labels[projectLabel] !== composeProject || found.labels[serviceLabel] !== service)
      return {
        name,
        action: "put aside",
        reasons: [
          `it is no container of the service ${service}: it is stopped and renamed, and a new one is made`,
        ],
      };
    const reasons = differences(found, wanted.image, revisions[service]);
    return { name, action: reasons.length === 0 ? "keep" : "recreate", reasons };
  });
  const names = services.map(([, { container }]) => container);
  const orphans = containers
    .filter(({ name, labels }) => labels[projectLabel] === composeProject && !names.includes(name))
    .map(
      ({ name }): ContainerPlan => ({
        name,
        action: "remove",
        reasons: [`it belongs to the compose project ${composeProject} and the stack has no such service`],
      }),
    );
  return [...declared, ...orphans];
}

/** Containers that hold a port which the stack publishes and that it leaves alone: the first update could not start. */
export function portConflicts(
  { containers }: Pick<HostFacts, "containers">,
  settings: RegistrySettings,
): string[] {
  const own = Object.values(serviceContainers(settings)).map(({ container }) => container);
  const wanted = publishedPorts(settings);
  const others = containers.filter(
    ({ name, labels, state }) =>
      state === "running" && !own.includes(name) && labels[projectLabel] !== composeProject,
  );
  return publishedBy(others)
    .filter(({ host }) => wanted.includes(host))
    .map(
      ({ host, container: { name } }) =>
        `the container ${name} publishes port ${host}, which the stack needs, and is none of its own: stop it right before the first update (docker stop ${name}), or give the stack another port`,
    );
}

/** Why a container is recreated; none where it is the stack's own, of the same definition and configuration. */
function differences(found: ContainerFact, image: string, revision: string | undefined): string[] {
  const own = found.labels[revisionLabel];
  if (own !== undefined && own === revision) return [];
  if (own !== undefined)
    return [
      revision === undefined
        ? "its configuration holds a secret: whether that is the same is not known here, and the preview says it"
        : "another definition or configuration than this one",
    ];
  return [
    ...(found.image === image ? [] : [`image ${found.image} becomes ${image}`]),
    ...(found.isReadOnly ? [] : ["its root file system becomes read-only"]),
    ...(found.droppedCapabilities.includes("ALL")
      ? []
      : ["it gives up the capabilities that it does not need"]),
    ...(found.memoryBytes > 0 ? [] : ["it gets limits of memory and processes"]),
    "it gets the label by which a change of its definition is known",
  ];
}
