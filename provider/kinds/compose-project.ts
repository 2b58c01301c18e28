import { isDeepStrictEqual } from "node:util";
import { HostError, PartlyCreatedError } from "../errors.ts";
import {
  type Container,
  composeDown,
  composeUp,
  inspectContainers,
  restartContainers,
} from "../remote/containers.ts";
import type { SshHost } from "../ssh/host.ts";
import {
  composeProjectSchema,
  type Deployed,
  type ComposeProjectInputs as Inputs,
  importedProject,
  isOurs,
  labels,
  observe,
  withMounted,
} from "./compose-services.ts";
import { assertInPlace } from "./data-state.ts";
import { type Bag, changedNow, type Recorded, type ResourceKind, unknown } from "./kind.ts";

/** The running containers of a compose file: see `ComposeProject` in resources.ts. */
export const composeProject: ResourceKind<Inputs> = {
  schema: composeProjectSchema,
  replaceOn: ["project"],
  deleteBeforeReplace: true,
  settings: ["waitTimeoutSeconds", "dependents", "data", "hold"],

  // When files were written, only the program that wrote them knows.
  inTermsOf: (old, declared) => ({ ...old, services: withMounted(old.services, declared.services) }),

  async create(host, inputs) {
    await assertInPlace(host, inputs.data);
    try {
      return { id: inputs.project, outputs: await deploy(host, inputs, undefined) };
    } catch (error) {
      const outputs = { ...inputs, deployed: {}, bounce: "", isIncomplete: true, ...changedNow() };
      throw new PartlyCreatedError(inputs.project, outputs, error);
    }
  },

  async read(host, id, { inputs: declared, outputs = {} }) {
    if (!declared) return importedProject(id, await inspectContainers(host, id, []));
    const containers = await inspectContainers(host, id, containerNames(declared));
    if (containers.length === 0) return undefined;
    const services = observe(containers, declared, deployedOf(outputs));
    if (outputs.isIncomplete) {
      for (const service of Object.values(services)) service.definition = "of a deployment that failed";
    }
    const inputs = { ...declared, services };
    return { inputs, outputs: { ...outputs, services } };
  },

  async update(host, _id, old, inputs) {
    await assertInPlace(host, inputs.data);
    return await deploy(host, inputs, old);
  },

  preview(inputs, old) {
    const bounce = old && !bouncesBackend(inputs, old.inputs) ? old.outputs.bounce : unknown;
    return { ...inputs, deployed: unknown, bounce, changedAt: unknown };
  },

  async remove(host, id, { inputs }) {
    await composeDown(host, inputs.file, id);
    return undefined;
  },
};

async function deploy(host: SshHost, inputs: Inputs, old: Recorded<Inputs> | undefined): Promise<Bag> {
  const last = deployedOf(old?.outputs ?? {});
  const names = containerNames(inputs);
  const found = await inspectContainers(host, inputs.project, names);
  const images = new Map(
    Object.entries(inputs.services).map(([name, { image }]) => [image, knownId(last[name], image)] as const),
  );
  const up = { ...inputs, images: [...images] };
  const displace = found
    .filter((each) => names.includes(each.name) && !isOurs(each, inputs))
    .map(({ name }) => name);
  // At once, whatever becomes of the others: a new password must not wait for a cache that does not start.
  const stale = found.filter((each) => each.staleMounts.length > 0 && isAsDeclared(each, inputs));
  if (stale.length > 0)
    await restartContainers(
      host,
      stale.map(({ id }) => id),
    );
  await composeUp(host, { ...up, displace });
  let running = await inspectContainers(host, inputs.project, names);
  const known = old && { ...old.inputs, services: withMounted(old.inputs.services, inputs.services) };
  const outdated = withOldFiles(inputs, known, found, running);
  if (outdated.length > 0) {
    await restartContainers(host, outdated);
    await composeUp(host, { ...up, displace: [] });
    running = await inspectContainers(host, inputs.project, names);
  }
  assertDeployed(host, inputs, running);
  const { changedAt } = changedNow();
  const bounce = bounced(inputs, found, running) ? changedAt : String(old?.outputs.bounce ?? "");
  return { ...inputs, deployed: recordDeployed(inputs, running), bounce, changedAt };
}

/**
 * Ids of the containers that go on with files that were replaced: those that still have the old one mounted, and those
 * whose mounted files were written while they ran, in a mounted directory for example.
 */
function withOldFiles(
  inputs: Inputs,
  old: Inputs | undefined,
  before: readonly Container[],
  running: readonly Container[],
): string[] {
  const untouched = new Set(before.map(incarnation));
  const written = Object.entries(inputs.services)
    .filter(([name, { mounted }]) => old && !isDeepStrictEqual(mounted, old.services[name]?.mounted))
    .map(([, { container }]) => container);
  return running
    .filter(
      (each) =>
        each.staleMounts.length > 0 || (untouched.has(incarnation(each)) && written.includes(each.name)),
    )
    .map(({ id }) => id);
}

/** Whether a container runs and compose has no reason to make it anew. */
function isAsDeclared(container: Container, inputs: Inputs): boolean {
  const wanted = Object.values(inputs.services).find((each) => each.container === container.name);
  const revision = container.labels[labels.revision];
  return container.state === "running" && isOurs(container, inputs) && revision === wanted?.revision;
}

/** The id that a reference had at the last deployment; another reference has none, whatever ran before. */
function knownId(last: Deployed[string] | undefined, image: string): string {
  return last?.image === image ? last.imageId : "";
}

function containerNames({ services }: Inputs): string[] {
  return Object.values(services).map(({ container }) => container);
}

function assertDeployed(host: SshHost, inputs: Inputs, running: readonly Container[]): void {
  const found = observe(running, inputs, {});
  const faults = Object.entries(inputs.services).flatMap(([name, wanted]) => {
    const got = found[name];
    if (!got)
      return [`${name}: expected container ${wanted.container}, there is none (is it in ${inputs.file}?)`];
    return (["image", "revision", "state", "health"] as const)
      .filter((field) => got[field] !== wanted[field])
      .map((field) => `${name}: expected ${field} ${wanted[field]}, got ${got[field]}`);
  });
  if (faults.length > 0) {
    throw new HostError(
      "E_REMOTE",
      `${host.name}: ${inputs.project} came up otherwise than declared: ${faults.join("; ")}`,
    );
  }
}

function recordDeployed(inputs: Inputs, running: readonly Container[]): Deployed {
  const deployed: Deployed = {};
  for (const [name, { container }] of Object.entries(inputs.services)) {
    const found = running.find((each) => each.name === container);
    const configHash = found?.labels[labels.configHash] ?? "";
    if (found) deployed[name] = { image: found.image, imageId: found.imageId, configHash };
  }
  return deployed;
}

/** Another after each restart of a container. */
function incarnation({ id, startedAt }: Container): string {
  return `${id} ${startedAt}`;
}

/** Whether a container that is no dependent was made or started anew. */
function bounced(inputs: Inputs, before: readonly Container[], after: readonly Container[]): boolean {
  const key = ({ id, startedAt }: Container) => `${id} ${startedAt}`;
  const known = new Set(before.map(key));
  return after.some(
    (each) => !known.has(key(each)) && !inputs.dependents.includes(each.labels[labels.service] ?? ""),
  );
}

function bouncesBackend(inputs: Inputs, old: Inputs): boolean {
  return Object.entries(inputs.services).some(
    ([name, service]) => !inputs.dependents.includes(name) && !isDeepStrictEqual(service, old.services[name]),
  );
}

function deployedOf(outputs: Bag): Deployed {
  return (outputs.deployed ?? {}) as Deployed;
}
