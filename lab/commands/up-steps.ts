import { readFileSync } from "node:fs";
import { hasCluster } from "../cluster/endpoints.ts";
import { clusterSteps, rulesStep } from "../cluster/steps.ts";
import { type Certificates, ensureCertificates } from "../host/certificates.ts";
import { ensureHost, type LabHost } from "../host/host.ts";
import { ensureRootFileSystem } from "../host/root-file-system.ts";
import { ensureCiImage, writeClientFiles } from "../images/sample-images.ts";
import { ensureImages, stackImages } from "../images/stack-images.ts";
import { ensureUpstream } from "../images/upstream.ts";
import { ensureEngine } from "../machine/docker-engine.ts";
import type { Instance } from "../machine/instances.ts";
import { ensurePackages } from "../machine/packages.ts";
import type { Reporter, StepOptions } from "../machine/run.ts";
import { ensureClusterTools } from "../machine/tools/cluster-tools.ts";
import { ensureToolchain } from "../machine/tools/pulumi.ts";
import { ensureAccount, stackConfiguration } from "../stack/configuration.ts";
import { configureStack, deploy, endOrphanedDeployment, forgetLostHost } from "../stack/deployment.ts";
import { type ScanSummary, scanLine, scanNow } from "../stack/scan.ts";
import type { Step } from "./steps.ts";

/** What one step leaves for later ones. */
export interface Progress {
  host?: LabHost;
  certificates?: Certificates;
  scan?: ScanSummary;
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a step ran before the one that it builds on");
  return value;
}

async function loadImages(host: LabHost, options: StepOptions): Promise<string> {
  const origins = Object.values(await ensureImages(host, stackImages, options));
  const pulled = origins.filter((origin) => origin === "pulled").length;
  if (pulled === origins.length) return `${pulled} pulled`;
  return pulled === 0
    ? `${origins.length} made from packages`
    : `${pulled} pulled, the others made from packages`;
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

async function configure(instance: Instance, progress: Progress, options: StepOptions): Promise<string> {
  const host = need(progress.host);
  await endOrphanedDeployment(instance, options);
  const wasReset = await forgetLostHost(instance, host);
  const access = { ...host, privateKey: readFileSync(host.privateKeyFile, "utf8") };
  const account = ensureAccount(instance);
  const configuration = stackConfiguration(instance, access, need(progress.certificates), account);
  const changed = await configureStack(instance, configuration, options);
  const note = changed === 0 ? "unchanged" : `${changed} values set`;
  return wasReset ? `${note}; the host is a new one, so the stack starts anew` : note;
}

function machineSteps(instance: Instance): Step[] {
  const packages = async (reporter: Reporter) => {
    const brought = await ensurePackages({ reporter });
    return brought.length === 0 ? "all there" : `installed ${brought.join(", ")}`;
  };
  const toolchain = async (reporter: Reporter) => {
    const { pulumi, commandPlugin } = await ensureToolchain({ reporter });
    const tools = `Pulumi from ${pulumi}, command plugin: ${commandPlugin}`;
    if (!hasCluster(instance)) return tools;
    const { apiServer, plugin } = await ensureClusterTools({ reporter });
    return `${tools}, API server from ${apiServer}, kubernetes plugin from ${plugin}`;
  };
  return [
    { name: "packages", title: "Packages", run: packages },
    {
      name: "engine",
      title: "Docker engine",
      run: async (reporter) => `run by ${await ensureEngine({ reporter })}`,
    },
    { name: "toolchain", title: "Toolchain", run: toolchain },
    {
      name: "root-file-system",
      title: "Root file system",
      run: async (reporter) => ensureRootFileSystem({ reporter }),
    },
  ];
}

function hostSteps(instance: Instance, progress: Progress): Step[] {
  const host = async (reporter: Reporter) => {
    progress.host = await ensureHost(instance, { reporter });
    return `${progress.host.container} at ${progress.host.address}`;
  };
  const certificates = async (reporter: Reporter) => {
    progress.certificates = await prepareSecrets(instance, need(progress.host), { reporter });
    return "";
  };
  return [
    { name: "host", title: "Host", run: host },
    {
      name: "images",
      title: "Images",
      run: async (reporter) => loadImages(need(progress.host), { reporter }),
    },
    {
      name: "upstream",
      title: "Stand-in for the public registries",
      run: async (reporter) => ensureUpstream(instance, stackImages, { reporter }),
    },
    { name: "certificates", title: "Keys and certificates", run: certificates },
  ];
}

function stackSteps(instance: Instance, progress: Progress): Step[] {
  const deployment = async (reporter: Reporter) => deploy(instance, { reporter });
  const sample = async (reporter: Reporter) => {
    const pushed = await ensureCiImage(instance, { reporter });
    return `infra-ci:latest ${pushed ? "pushed" : "is there"}`;
  };
  const scan = async (reporter: Reporter) => {
    progress.scan = await scanNow(need(progress.host), { reporter });
    return scanLine(progress.scan);
  };
  return [
    {
      name: "stack",
      title: "Stack configuration",
      run: async (reporter) => configure(instance, progress, { reporter }),
    },
    { name: "deploy", title: "Deployment", run: deployment },
    { name: "sample-image", title: "Sample image", run: sample },
    { name: "scan", title: "Scan", run: scan },
    hasCluster(instance) ? rulesStep(instance) : withoutCluster,
  ];
}

const withoutCluster: Step = {
  name: "kubernetes",
  title: "Kubernetes",
  run: async () => "",
  skip: "left out; `npm run lab` without --no-cluster adds it",
};

/** Everything that takes a bare machine to a running stack, in order. */
export function upSteps(instance: Instance, progress: Progress): Step[] {
  const beneath = [
    ...machineSteps(instance),
    ...hostSteps(instance, progress),
    ...(hasCluster(instance) ? clusterSteps(instance) : []),
  ];
  return [...beneath, ...stackSteps(instance, progress)];
}
