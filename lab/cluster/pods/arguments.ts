import { join } from "node:path";
import { LabError } from "../../machine/errors.ts";
import { expand } from "./environment.ts";
import type { Container, PodIdentity, PodSpec, VolumeMount } from "./template.ts";

/** What the template does not say: where the container runs, and what was prepared for it. */
export interface Surroundings {
  /** The image as the machine's engine knows it. */
  readonly image: string;
  readonly container: string;
  readonly network: string;
  readonly labels: readonly string[];
  /** Hosts that the cluster's DNS would know. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly environmentFile: string;
  /** Holds a directory for each volume. */
  readonly volumes: string;
}

function refuse(what: string): never {
  throw new LabError("E_UNSUPPORTED", `the lab cannot run a pod with ${what}`);
}

/** The one container of a pod. Errors: E_UNSUPPORTED for several. */
export function onlyContainer(spec: PodSpec): Container {
  const [container, ...others] = spec.containers;
  if (container === undefined || others.length > 0) refuse(`${spec.containers.length} containers`);
  return container;
}

/** `--user`: the container's own setting goes before the pod's. Errors: E_UNSUPPORTED where a kubelet would refuse. */
function user(spec: PodSpec, container: Container): string[] {
  const { runAsUser, runAsGroup, runAsNonRoot } = { ...spec.securityContext, ...container.securityContext };
  if (runAsNonRoot && runAsUser === 0) refuse("runAsNonRoot and runAsUser 0");
  if (runAsNonRoot && runAsUser === undefined)
    refuse("runAsNonRoot without runAsUser: it depends on the image");
  if (runAsUser === undefined) return runAsGroup === undefined ? [] : refuse("runAsGroup without runAsUser");
  return ["--user", runAsGroup === undefined ? `${runAsUser}` : `${runAsUser}:${runAsGroup}`];
}

function groups({ securityContext }: PodSpec): string[] {
  const { fsGroup, supplementalGroups = [] } = securityContext ?? {};
  const all = fsGroup === undefined ? supplementalGroups : [...supplementalGroups, fsGroup];
  return all.flatMap((group) => ["--group-add", String(group)]);
}

/** `RuntimeDefault` is what the engine does by itself. */
function seccomp(spec: PodSpec, container: Container): string[] {
  const { seccompProfile } = { ...spec.securityContext, ...container.securityContext };
  if (seccompProfile === undefined || seccompProfile.type === "RuntimeDefault") return [];
  if (seccompProfile.type === "Unconfined") return ["--security-opt", "seccomp=unconfined"];
  return refuse(`the seccomp profile ${seccompProfile.type}`);
}

function confinement(container: Container): string[] {
  const { capabilities, ...security } = container.securityContext ?? {};
  if (security.privileged) refuse("privileged");
  return [
    ...(security.readOnlyRootFilesystem ? ["--read-only"] : []),
    ...(security.allowPrivilegeEscalation === false ? ["--security-opt", "no-new-privileges"] : []),
    ...(capabilities?.drop ?? []).flatMap((name) => ["--cap-drop", name]),
    ...(capabilities?.add ?? []).flatMap((name) => ["--cap-add", name]),
  ];
}

/** Factors of the suffixes of a Kubernetes quantity. */
const suffixes: Readonly<Record<string, number>> = {
  "": 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Number of a Kubernetes quantity such as `192Mi` or `250m`. Errors: throws a TypeError. */
export function quantity(text: string): number {
  const [, digits, suffix = ""] = /^(\d+(?:\.\d+)?(?:[eE]\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  const factor = suffixes[suffix];
  if (digits === undefined || factor === undefined) throw new TypeError(`"${text}" is no quantity`);
  return Number(digits) * factor;
}

function limits({ resources }: Container): string[] {
  const { memory, cpu } = resources?.limits ?? {};
  const bytes = memory === undefined ? undefined : Math.round(quantity(memory));
  return [
    // The same figure twice: a pod has no swap.
    ...(bytes === undefined ? [] : ["--memory", `${bytes}`, "--memory-swap", `${bytes}`]),
    ...(cpu === undefined ? [] : ["--cpus", String(quantity(cpu))]),
  ];
}

/** How a volume gets into the container: files of the cluster are read-only, with any mount. */
function mount(spec: PodSpec, volumeMount: VolumeMount, volumes: string): string[] {
  const { mountPath, subPath, readOnly } = volumeMount;
  const volume = spec.volumes?.find(({ name }) => name === volumeMount.name);
  if (volume === undefined) return refuse(`a mount of ${volumeMount.name}, which is no volume`);
  const { medium, sizeLimit } = volume.emptyDir ?? {};
  const isWritable = volume.emptyDir !== undefined && !readOnly;
  if (medium === "Memory" && subPath === undefined) {
    const size = sizeLimit === undefined ? "" : `,size=${Math.round(quantity(sizeLimit))}`;
    return ["--tmpfs", `${mountPath}:${isWritable ? "rw" : "ro"},exec,mode=1777${size}`];
  }
  const sources = [volume.configMap, volume.secret, volume.emptyDir, volume.serviceAccount];
  if (sources.every((source) => source === undefined)) return refuse(`the volume ${volume.name}`);
  const source = join(volumes, volume.name, subPath ?? "");
  return ["--mount", `type=bind,source=${source},target=${mountPath}${isWritable ? "" : ",readonly"}`];
}

function names(spec: PodSpec, hosts: Readonly<Record<string, string>>): string[] {
  const { nameservers = [], searches = [], options = [] } = spec.dnsConfig ?? {};
  const aliases = (spec.hostAliases ?? []).flatMap(({ ip, hostnames }) =>
    hostnames.map((host) => [host, ip]),
  );
  const known = [...Object.entries(hosts), ...aliases];
  return [
    ...known.flatMap(([host, ip]) => ["--add-host", `${host}:${ip}`]),
    ...nameservers.flatMap((server) => ["--dns", server]),
    ...searches.flatMap((search) => ["--dns-search", search]),
    ...options.flatMap(({ name, value }) => ["--dns-opt", value === undefined ? name : `${name}:${value}`]),
  ];
}

/** `--entrypoint`, image and the rest: `command` replaces the image's entry point and its arguments, `args` these alone. */
function program(container: Container, image: string, variables: ReadonlyMap<string, string>): string[] {
  const [first, ...rest] = (container.command ?? []).map((text) => expand(text, variables));
  const args = (container.args ?? []).map((text) => expand(text, variables));
  return first === undefined ? [image, ...args] : ["--entrypoint", first, image, ...rest, ...args];
}

/** `docker create` arguments for an admitted pod's container. What would run differently in a cluster is refused. */
export function containerArguments(
  spec: PodSpec,
  pod: PodIdentity,
  variables: ReadonlyMap<string, string>,
  around: Surroundings,
): string[] {
  const container = onlyContainer(spec);
  const { workingDir } = container;
  return [
    ...["--name", around.container, "--hostname", pod.name, "--network", around.network, ...around.labels],
    ...["--stop-timeout", String(spec.terminationGracePeriodSeconds ?? 30)],
    ...names(spec, around.hosts),
    ...user(spec, container),
    ...groups(spec),
    ...seccomp(spec, container),
    ...confinement(container),
    ...limits(container),
    ...(workingDir === undefined ? [] : ["--workdir", workingDir]),
    ...["--env-file", around.environmentFile],
    ...(container.volumeMounts ?? []).flatMap((volumeMount) => mount(spec, volumeMount, around.volumes)),
    ...program(container, around.image, variables),
  ];
}
