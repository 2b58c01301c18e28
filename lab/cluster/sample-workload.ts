import { registryHostName } from "../host/certificates.ts";
import { ciImageReference } from "../images/sample-images.ts";
import { ports } from "../machine/instances.ts";
import type { KubernetesClient } from "./kubernetes-client.ts";

/** An example of a user's workload. Nothing starts it: the lab has no kubelet and no controllers. */
export const sampleWorkload = { kind: "Deployment", namespace: "ci", name: "ci-runner" } as const;

/** The image as the workload names it: by the registry's name, which is the one in its certificate. */
export const sampleImage = `${registryHostName}:${ports.private}/${ciImageReference}`;

const architectures = ["amd64", "arm64"] as const;

function deployment() {
  const { kind, name } = sampleWorkload;
  const labels = { "app.kubernetes.io/name": name };
  const containers = [{ name: "runner", image: sampleImage }];
  const template = { metadata: { labels }, spec: { containers } };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template };
  return { apiVersion: "apps/v1", kind, metadata: { name }, spec };
}

/** A node as its kubelet would describe it: the sample image must run on it. */
function node(architecture: string) {
  const name = `lab-${architecture}`;
  const labels = { "kubernetes.io/arch": architecture, "kubernetes.io/os": "linux" };
  return { apiVersion: "v1", kind: "Node", metadata: { name, labels } };
}

function nodeInfo(architecture: string) {
  const versions = ["containerRuntimeVersion", "kernelVersion", "kubeletVersion", "kubeProxyVersion"];
  const ids = ["bootID", "machineID", "systemUUID", "osImage"];
  const unknown = Object.fromEntries([...versions, ...ids].map((field) => [field, ""]));
  return { ...unknown, operatingSystem: "linux", architecture };
}

/** Has a workload that needs the private registry's image, and nodes of both its platforms. */
export async function ensureSampleWorkload(client: KubernetesClient): Promise<void> {
  const { namespace } = sampleWorkload;
  for (const architecture of architectures) {
    await client.apply("/api/v1/nodes", node(architecture));
    const status = { status: { nodeInfo: nodeInfo(architecture) } };
    await client.merge(`/api/v1/nodes/lab-${architecture}/status`, status);
  }
  const space = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
  await client.apply("/api/v1/namespaces", space);
  await client.apply(`/apis/apps/v1/namespaces/${namespace}/deployments`, deployment());
}
