import * as v from "valibot";
import { revisionLabel } from "../../contract/host-names.ts";
import type { Container, Hold } from "../remote/containers.ts";
import type { DataDirectory } from "../remote/data-directory.ts";
import { dataSchema } from "./data-state.ts";
import { absolutePath, asFound } from "./kind.ts";

/** What `check` adds to each service: how it must be found. */
const asDeployed = "as deployed";

const serviceSchema = v.pipe(
  v.strictObject({
    container: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/, "must be a container name")),
    image: v.pipe(v.string(), v.nonEmpty()),
    revision: v.pipe(v.string(), v.nonEmpty()),
    healthcheck: v.optional(v.boolean(), true),
    mounted: v.optional(v.array(v.string()), []),
    staleMounts: v.optional(v.array(v.string()), []),
    state: v.optional(v.string(), "running"),
    health: v.optional(v.string()),
    definition: v.optional(v.string(), asDeployed),
  }),
  v.transform((service) => ({ ...service, health: service.healthcheck ? "healthy" : "none" })),
);

const noHold = { begin: "", end: "" };

/** Inputs of a compose project. */
export const composeProjectSchema = v.strictObject({
  project: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9_-]*$/, "must be a compose project name")),
  file: absolutePath,
  services: v.record(v.string(), serviceSchema),
  dependents: v.array(v.string()),
  data: v.optional(v.array(v.strictObject({ path: absolutePath, ...dataSchema.entries })), []),
  waitTimeoutSeconds: v.pipe(v.number(), v.minValue(1)),
  hold: v.optional(v.strictObject({ begin: v.string(), end: v.string() }), noHold),
});

/** A service as declared, or as found: the same fields, so that a difference is shown by name. */
export interface Service {
  container: string;
  image: string;
  revision: string;
  healthcheck: boolean;
  /** When its mounted files were last written, by this program. */
  mounted: string[];
  /** Mounted files of which the container still sees an older version: none should be. */
  staleMounts: string[];
  state: string;
  health: string;
  /** `as deployed`, or how the container differs from what this program made. */
  definition: string;
}

export interface ComposeProjectInputs {
  project: string;
  file: string;
  services: Record<string, Service>;
  dependents: string[];
  /** Checked before a container is started. */
  data: DataDirectory[];
  waitTimeoutSeconds: number;
  hold: Hold;
}

/** What a deployment left behind, by service: later reads compare with it. */
export type Deployed = Record<string, { image: string; imageId: string; configHash: string }>;

export const labels = {
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
  configHash: "com.docker.compose.config-hash",
  files: "com.docker.compose.project.config_files",
  revision: revisionLabel,
} as const;

/** Whether this project made a container, for a service that it still has. */
export function isOurs({ labels: found }: Container, { project, services }: ComposeProjectInputs): boolean {
  return found[labels.project] === project && (found[labels.service] ?? "") in services;
}

/** Services by name as they are; containers of the project that no declared service explains stand beside them. */
export function observe(
  containers: readonly Container[],
  declared: ComposeProjectInputs,
  deployed: Deployed,
): Record<string, Service> {
  const services: Record<string, Service> = {};
  const byContainer = new Map(
    Object.entries(declared.services).map(([name, { container }]) => [container, name]),
  );
  for (const container of containers) {
    const name = byContainer.get(container.name);
    const { state, health } = container;
    services[name ?? `${container.name} (foreign)`] = {
      container: container.name,
      image: name === undefined ? container.image : imageOf(container, deployed[name]),
      revision: container.labels[labels.revision] ?? "(none)",
      healthcheck: health !== "none",
      mounted: declared.services[name ?? ""]?.mounted ?? [],
      staleMounts: [...container.staleMounts],
      state,
      // A stopped container keeps its last health; its state says enough.
      health: state === "running" ? health : (declared.services[name ?? ""]?.health ?? health),
      definition:
        name === undefined ? "foreign" : definitionOf(container, declared, deployed[name]?.configHash),
    };
  }
  return services;
}

/** A project that this program has not deployed: services by compose's own label, and the images that they run. */
export function importedProject(
  project: string,
  containers: readonly Container[],
): { inputs: ComposeProjectInputs; outputs: Record<string, unknown> } | undefined {
  const made = containers.filter((each) => each.labels[labels.service] !== undefined);
  if (made.length === 0) return undefined;
  const byService = <T>(value: (container: Container) => T) =>
    Object.fromEntries(made.map((each) => [each.labels[labels.service] ?? "", value(each)]));
  const services = byService(
    (each): Service => ({
      container: each.name,
      image: each.image,
      revision: each.labels[labels.revision] ?? "(none)",
      healthcheck: each.health !== "none",
      mounted: [asFound],
      staleMounts: [...each.staleMounts],
      state: each.state,
      health: each.health,
      definition: asDeployed,
    }),
  );
  const deployed: Deployed = byService(({ image, imageId, labels: found }) => ({
    image,
    imageId,
    configHash: found[labels.configHash] ?? "",
  }));
  const [file = ""] = made.map((each) => each.labels[labels.files] ?? "");
  const inputs = { project, file, services, dependents: [], data: [], waitTimeoutSeconds: 300, hold: noHold };
  return { inputs, outputs: { ...inputs, deployed, bounce: "" } };
}

/** Services with the moments that are declared, where an import could not know them. */
export function withMounted(
  old: Readonly<Record<string, Service>>,
  declared: Readonly<Record<string, Service>>,
): Record<string, Service> {
  const entries = Object.entries(old).map(([name, service]) => {
    const isImported = service.mounted.length === 1 && service.mounted[0] === asFound;
    return [name, isImported ? { ...service, mounted: declared[name]?.mounted ?? [] } : service];
  });
  return Object.fromEntries(entries);
}

/** The reference alone when it still means the image that was deployed under it. */
function imageOf({ image, imageId }: Container, last: Deployed[string] | undefined): string {
  const known = last?.image === image ? last.imageId : imageId;
  return known === imageId ? image : `${image} (image ${imageId}, deployed ${known})`;
}

function definitionOf(
  container: Container,
  declared: ComposeProjectInputs,
  deployedHash: string | undefined,
): string {
  if (!isOurs(container, declared)) return "not made by this project";
  const hash = container.labels[labels.configHash];
  return deployedHash === undefined || hash === deployedHash
    ? asDeployed
    : `recreated with another definition (${hash})`;
}
