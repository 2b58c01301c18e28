import * as v from "valibot";
import { composeServices } from "../../components/host/render/compose.ts";
import { importable } from "../../components/host/render/importable.ts";
import { cacheConfig, privateConfig } from "../../components/host/render/registry-config.ts";
import { sha256 } from "../../components/host/render/revision.ts";
import type { RegistrySettings } from "../../components/host/settings.ts";
import { registrySettings } from "../../config/registry-settings.ts";
import { settingsSchema } from "../../config/settings.ts";
import { type ExistingKind, existingKinds, type JobLine } from "../../contract/adoption.ts";
import { composeProject, registryContainer, revisionLabel } from "../../contract/host-names.ts";
import { privateRegistry } from "../../contract/registries.ts";
import type { ClusterPlan } from "../cluster/plan.ts";
import type { HostFacts } from "../facts.ts";
import { type CertificateFact, certificateFacts } from "./certificates.ts";
import { type ContainerPlan, planContainers, portConflicts } from "./containers.ts";
import type { Deviation } from "./deviation.ts";
import { fileDeviations } from "./differences.ts";
import { type HarmfulLine, planJobs } from "./jobs.ts";
import { type FoundRegistry, registriesOf } from "./registries.ts";
import { retentionSuggestion } from "./retention.ts";
import { type NeededSecret, neededSecrets } from "./secrets.ts";
import { type Access, planSettings } from "./settings.ts";
import { type UnmanagedThing, unmanagedThings } from "./unmanaged.ts";

/** What moving in comes to: data, for the report and for the configuration file. */
export interface AdoptionPlan {
  /** Configuration by top-level key, without the namespace; no secret. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly secrets: readonly NeededSecret[];
  readonly deviations: readonly Deviation[];
  readonly containers: readonly ContainerPlan[];
  /** Lines that the first update makes comments of. */
  readonly jobs: readonly HarmfulLine[];
  /** Lines for the configuration file, as comments: what a former job did with tags. */
  readonly retention: readonly string[];
  readonly unmanaged: readonly UnmanagedThing[];
  readonly certificates: readonly CertificateFact[];
  /** What must be done by hand before the first update. */
  readonly blockers: readonly string[];
  /** The values with their defaults, as the components take them; undefined where something needed is missing. */
  readonly settings: RegistrySettings | undefined;
  /** Undefined where no cluster was read. */
  readonly cluster: ClusterPlan | undefined;
}

export interface Target extends Access {
  /** Name of the stack that the configuration is for. */
  readonly stack: string;
}

/** Facts to a plan. Pure: no clock, file, network. */
export function planAdoption(
  facts: HostFacts,
  target: Target,
  cluster: ClusterPlan | undefined = undefined,
): AdoptionPlan {
  const { registries, unreadable } = registriesOf(facts);
  const { values, deviations, blockers } = planSettings(facts, registries, target);
  const found = [...deviations, ...fileDeviations(facts, registries), ...(cluster?.deviations ?? [])];
  const { jobs, blockers: jobBlockers } = planJobs(facts);
  const secrets = neededSecrets(facts, registries, secretSource(target));
  const common = { secrets, deviations: found, jobs, retention: retentionSuggestion(jobs), cluster };
  const byHand = [...jobBlockers, ...(cluster?.blockers ?? [])];
  const settings = settingsOf(values);
  if (settings === undefined) {
    const own = [...unreadable, ...blockers];
    const why = own.length > 0 ? own : ["no complete configuration follows from what was read"];
    return {
      ...common,
      settings,
      values,
      containers: [],
      unmanaged: [],
      certificates: [],
      blockers: [...why, ...byHand],
    };
  }
  const certificates = certificateFacts(facts.certificates, settings.hostname);
  return {
    ...common,
    settings,
    values: {
      ...values,
      ...(cluster === undefined ? {} : { cluster: cluster.value }),
      adopt: adoptValue(facts, settings, jobs),
    },
    containers: planContainers(facts, settings, revisionsOf(settings, registries)),
    unmanaged: unmanagedThings(facts, settings),
    certificates,
    blockers: [
      ...unreadable,
      ...blockers,
      ...certificateBlockers(certificates, settings.hostname),
      ...portConflicts(facts, settings),
      ...byHand,
    ],
  };
}

function secretSource({ stack, sshUser, address, sshPort }: Target) {
  const port = sshPort === 22 ? "" : `-p ${sshPort} `;
  return { stack, ssh: `${port}${sshUser}@${address}`, sudo: sshUser === "root" ? "" : "sudo " };
}

/** The settings with their defaults; undefined where something needed is missing. */
function settingsOf(values: Readonly<Record<string, unknown>>): RegistrySettings | undefined {
  const parsed = v.safeParse(settingsSchema, values);
  return parsed.success ? registrySettings(parsed.output) : undefined;
}

function adoptValue(facts: HostFacts, settings: RegistrySettings, jobs: readonly JobLine[]): unknown {
  const existing = existingThings(facts, settings);
  return {
    existing: existingKinds.flatMap((kind) => existing[kind].map((name) => `${kind}:${name}`)),
    jobs: jobs.map(({ file, line }) => ({ file, line })),
  };
}

/** What may be imported and is there. */
function existingThings(
  { directory, entries, units, images, containers }: HostFacts,
  settings: RegistrySettings,
): Readonly<Record<ExistingKind, readonly string[]>> {
  const may = importable(settings);
  const isThere = (path: string, type: string) =>
    path === directory ? type === "d" : entries.some((entry) => entry.path === path && entry.type === type);
  const tags = new Set(images.flatMap((image) => [...image.tags, ...image.digests]));
  const hasProject = containers.some(({ labels }) => labels["com.docker.compose.project"] === composeProject);
  return {
    directory: may.directory.filter((path) => isThere(path, "d")),
    file: may.file.filter((path) => isThere(path, "f")),
    unit: may.unit.filter((name) => units.some((unit) => unit.name === name && unit.text !== "")),
    image: may.image.filter((reference) => tags.has(reference)),
    project: hasProject ? may.project : [],
  };
}

/** The label of each service; undefined for a cache whose configuration holds a password. */
function revisionsOf(
  settings: RegistrySettings,
  registries: readonly FoundRegistry[],
): Record<string, string | undefined> {
  const secret = new Set(
    registries.flatMap(({ name, config }) =>
      config.proxy?.username === undefined ? [] : [registryContainer(name)],
    ),
  );
  const caches = settings.caches.map((cache) => [cache.name, sha256(cacheConfig(cache))] as const);
  const registryConfigs = Object.fromEntries([
    ...caches,
    [privateRegistry, sha256(privateConfig())] as const,
  ]);
  const services = Object.entries(composeServices(settings, { registryConfigs }));
  return Object.fromEntries(
    services.map(([name, { labels }]) => [name, secret.has(name) ? undefined : labels[revisionLabel]]),
  );
}

function certificateBlockers(certificates: readonly CertificateFact[], hostname: string): string[] {
  if (certificates.length === 0 || certificates.some(({ covers }) => covers)) return [];
  const names = certificates.flatMap((each) => each.names).join(", ");
  return [
    `no certificate on the host names ${hostname}; they name ${names}: give another one with --hostname`,
  ];
}
