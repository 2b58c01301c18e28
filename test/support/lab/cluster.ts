import { readFileSync } from "node:fs";
import { namespaces } from "../../../lab/cluster/endpoints.ts";
import { clientOf, type KubernetesClient } from "../../../lab/cluster/kubernetes-client.ts";
import { kubeconfigFile } from "../../../lab/cluster/paths.ts";
import { instance } from "./stack.ts";

/** A client of the lab's API server. */
export function cluster(): KubernetesClient {
  const client = clientOf(instance);
  if (!client) throw new Error(`there is no cluster of the instance ${instance}`);
  return client;
}

/** PEM text of the authority of the API server's certificate. */
export function apiServerAuthority(): string {
  const { clusters } = JSON.parse(readFileSync(kubeconfigFile(instance), "utf8"));
  return Buffer.from(clusters[0].cluster["certificate-authority-data"], "base64").toString();
}

/** Changes fields of an object as `kubectl patch` and `kubectl edit` do. */
export async function patch(kind: Kind, name: string, fields: object): Promise<void> {
  await cluster().merge(pathOf(kind, name), fields, "kubectl-patch");
}

/** Takes fields of an object over, as `kubectl apply --server-side --force-conflicts` does. */
export async function takeOver(kind: Kind, name: string, fields: object): Promise<void> {
  const [apiVersion, kindName] = types[kind];
  const object = { apiVersion, kind: kindName, metadata: { name }, ...fields };
  await cluster().apply(collection(kind), object, "kubectl");
}

type Kind = keyof typeof groups;

const types = {
  configmaps: ["v1", "ConfigMap"],
  pods: ["v1", "Pod"],
  secrets: ["v1", "Secret"],
  serviceaccounts: ["v1", "ServiceAccount"],
  cronjobs: ["batch/v1", "CronJob"],
  prometheusrules: ["monitoring.coreos.com/v1", "PrometheusRule"],
  clusterroles: ["rbac.authorization.k8s.io/v1", "ClusterRole"],
  clusterrolebindings: ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding"],
} as const;

/** Collections by kind: of the namespace that the stack's objects are in, or of the cluster. */
export function collection(kind: Kind, namespace: string = namespaces.monitoring): string {
  const isOfCluster = kind === "clusterroles" || kind === "clusterrolebindings";
  return isOfCluster ? `${groups[kind]}/${kind}` : `${groups[kind]}/namespaces/${namespace}/${kind}`;
}

const groups = {
  configmaps: "/api/v1",
  pods: "/api/v1",
  secrets: "/api/v1",
  serviceaccounts: "/api/v1",
  cronjobs: "/apis/batch/v1",
  prometheusrules: "/apis/monitoring.coreos.com/v1",
  clusterroles: "/apis/rbac.authorization.k8s.io/v1",
  clusterrolebindings: "/apis/rbac.authorization.k8s.io/v1",
} as const;

/** Kinds that the stack has objects of. */
export const stackKinds = [
  "configmaps",
  "secrets",
  "serviceaccounts",
  "cronjobs",
  "prometheusrules",
  "clusterroles",
  "clusterrolebindings",
] as const;

/** Path of one object of the stack. */
export function pathOf(kind: Kind, name: string): string {
  return `${collection(kind)}/${name}`;
}

/** Names of the stack's objects, as `KIND/NAME`. */
export async function stackObjects(): Promise<string[]> {
  const selector = "?labelSelector=app.kubernetes.io/part-of=regwarden";
  const found = await Promise.all(
    stackKinds.map(async (kind) => {
      const objects = await cluster().list(`${collection(kind)}${selector}`);
      return objects.map((object) => `${kind}/${(object as Named).metadata.name}`);
    }),
  );
  return found.flat();
}

interface Named {
  readonly metadata: { readonly name: string };
}
