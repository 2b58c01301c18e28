import { readFileSync } from "node:fs";
import { ensureApiServer } from "../cluster/api-server.ts";
import { urlsOf } from "../cluster/endpoints.ts";
import { clientOf } from "../cluster/kubernetes-client.ts";
import { ensureManifests, servesRules } from "../cluster/manifests.ts";
import { ensureMonitoring } from "../cluster/monitoring.ts";
import { hasCluster } from "../cluster/paths.ts";
import { loadRules } from "../cluster/rules-loader.ts";
import { ensureSampleWorkload } from "../cluster/sample-workload.ts";
import { type Certificates, ensureCertificates } from "../host/certificates.ts";
import { ensureAccount, writeClientFiles } from "../host/client-files.ts";
import { ensureHost, type LabHost } from "../host/host.ts";
import { ensureRootFileSystem } from "../host/root-file-system.ts";
import { ciImageReference, ensureCiImage } from "../images/sample-images.ts";
import { ensureImages, type ImageOrigin } from "../images/stack-images.ts";
import { ensureUpstream } from "../images/upstream.ts";
import { ensureEngine } from "../machine/docker-engine.ts";
import type { Instance } from "../machine/instances.ts";
import { ensurePackages } from "../machine/packages.ts";
import type { StepOptions } from "../machine/run.ts";
import { ensureClusterTools } from "../machine/tools/cluster-tools.ts";
import { ensurePulumi } from "../machine/tools/pulumi.ts";
import { waitUntil } from "../machine/wait.ts";
import { stackConfiguration } from "../stack/configuration.ts";
import { configureStack } from "../stack/configure-stack.ts";
import { deploy, discardStateOfOtherHost, endOrphanedDeployment } from "../stack/deployment.ts";
import { scanLine, scanNow } from "../stack/scan.ts";
import { Steps } from "./steps.ts";

/** The programs that the lab needs; returns where each came from, in words. */
async function ensureTools(instance: Instance, options: StepOptions): Promise<string> {
  const tools = `Pulumi from ${await ensurePulumi(options)}`;
  if (!hasCluster(instance)) return tools;
  const { apiServer, plugin } = await ensureClusterTools(options);
  return `${tools}, API server from ${apiServer}, kubernetes plugin from ${plugin}`;
}

function machineSteps(instance: Instance) {
  return new Steps()
    .add(
      "packages",
      "Packages",
      (_, options) => ensurePackages(options),
      (installed) => (installed.length === 0 ? "all there" : `installed ${installed.join(", ")}`),
    )
    .add(
      "docker-engine",
      "Docker engine",
      (_, options) => ensureEngine(options),
      (owner) => `run by ${owner}`,
    )
    .add("tools", "Tools", (_, options) => ensureTools(instance, options), String)
    .add("root-file-system", "Root file system", (_, options) => ensureRootFileSystem(options), String);
}

function imagesNote(origins: readonly ImageOrigin[]): string {
  const pulled = origins.filter((origin) => origin === "pulled").length;
  if (pulled === origins.length) return `${pulled} pulled`;
  const built = `${origins.length - pulled} built from packages`;
  return pulled === 0 ? built : `${pulled} pulled, ${built}`;
}

async function prepareSecrets(
  instance: Instance,
  host: LabHost,
  options: StepOptions,
): Promise<Certificates> {
  const certificates = await ensureCertificates(instance, options);
  writeClientFiles(instance, ensureAccount(instance), certificates.authority, host);
  return certificates;
}

function hostSteps(before: Steps, instance: Instance) {
  return before
    .add(
      "host",
      "Host",
      (_, options) => ensureHost(instance, options),
      ({ container, address }) => `${container} at ${address}`,
    )
    .add("images", "Images", ({ host }, options) => ensureImages(host, options), imagesNote)
    .add(
      "upstream",
      "Stand-in for the public registries",
      (_, options) => ensureUpstream(instance, options),
      String,
    )
    .add("certificates", "Keys and certificates", ({ host }, options) =>
      prepareSecrets(instance, host, options),
    );
}

/** What must run before the stack is deployed: its objects go into the cluster. Returns Kubernetes' version. */
async function startApiServer(instance: Instance, options: StepOptions): Promise<string> {
  const client = await ensureApiServer(instance, options);
  await ensureManifests(client);
  await ensureSampleWorkload(client);
  await waitUntil("the kind PrometheusRule", 30, () => servesRules(client));
  return client.version();
}

function clusterSteps<Values extends object>(before: Steps<Values>, instance: Instance): Steps<Values> {
  const { apiServer, prometheus } = urlsOf(instance);
  return before
    .add(
      "api-server",
      "API server",
      (_, options) => startApiServer(instance, options),
      (version) => `Kubernetes ${version} at ${apiServer}`,
    )
    .add(
      "monitoring",
      "Monitoring",
      (_, options) => ensureMonitoring(instance, options),
      () => `Prometheus at ${prometheus}`,
    );
}

interface Prepared {
  readonly host: LabHost;
  readonly certificates: Certificates;
}

async function configure(
  instance: Instance,
  { host, certificates }: Prepared,
  options: StepOptions,
): Promise<string> {
  await endOrphanedDeployment(instance, options);
  const isNewHost = await discardStateOfOtherHost(instance, host);
  const access = { ...host, privateKey: readFileSync(host.privateKeyFile, "utf8") };
  const configuration = stackConfiguration(instance, access, certificates, ensureAccount(instance));
  const changed = await configureStack(instance, configuration, options);
  const note = changed === 0 ? "unchanged" : `${changed} values set`;
  return isNewHost ? `${note}; the host is a new one, so the stack starts anew` : note;
}

/** Loads the rules that the deployed stack has put into the cluster. Returns their number. */
async function loadClusterRules(instance: Instance, options: StepOptions): Promise<number> {
  const client = clientOf(instance);
  return client === undefined ? 0 : loadRules(instance, client, 1, options);
}

function stackSteps<Values extends Prepared>(before: Steps<Values>, instance: Instance) {
  const deployed = before
    .add(
      "configuration",
      "Stack configuration",
      (prepared, options) => configure(instance, prepared, options),
      String,
    )
    .add("deployment", "Deployment", (_, options) => deploy(instance, options), String)
    .add(
      "sample-image",
      "Sample image",
      (_, options) => ensureCiImage(instance, options),
      (isPushed) => `${ciImageReference} ${isPushed ? "pushed" : "is there"}`,
    )
    .add("scan", "Scan", ({ host }, options) => scanNow(host, options), scanLine);
  if (!hasCluster(instance))
    return deployed.skip("kubernetes", "Kubernetes", 'left out; "npm run lab" without --no-cluster adds it');
  return deployed.add(
    "rules",
    "Alert rules",
    (_, options) => loadClusterRules(instance, options),
    (count) => (count === 0 ? "none in the cluster" : `${count} loaded by Prometheus`),
  );
}

/** Everything that takes a bare machine to a running stack, in order. */
export function upSteps(instance: Instance): Steps<Prepared> {
  const onHost = hostSteps(machineSteps(instance), instance);
  return stackSteps(hasCluster(instance) ? clusterSteps(onHost, instance) : onHost, instance);
}
