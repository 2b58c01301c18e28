import { namespaces } from "./endpoints.ts";
import type { KubernetesClient, KubernetesObject } from "./kubernetes-client.ts";

const ruleGroup = "monitoring.coreos.com";

/** Collection of all PrometheusRules. */
export const prometheusRulesPath = `/apis/${ruleGroup}/v1/prometheusrules`;

/**
 * The kind PrometheusRule, as far as the lab needs it: the API server keeps any spec, and the rules loader has promtool
 * check the rules. Names, version and scope are the Prometheus operator's.
 */
export const prometheusRuleKind = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `prometheusrules.${ruleGroup}` },
  spec: {
    group: ruleGroup,
    scope: "Namespaced",
    names: {
      kind: "PrometheusRule",
      listKind: "PrometheusRuleList",
      plural: "prometheusrules",
      singular: "prometheusrule",
      shortNames: ["promrule"],
      categories: ["prometheus-operator"],
    },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: ruleSchema() } }],
  },
};

function ruleSchema() {
  return {
    type: "object",
    required: ["spec"],
    properties: { spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
  };
}

function namespace(name: string, labels: Readonly<Record<string, string>>): KubernetesObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, ...{ labels } } };
}

/** Has the namespaces and the kind that the stack's objects need. `monitoring` refuses pods that are not restricted. */
export async function ensureManifests(client: KubernetesClient): Promise<void> {
  const restricted = { "pod-security.kubernetes.io/enforce": "restricted" };
  await client.apply("/api/v1/namespaces", namespace(namespaces.monitoring, restricted));
  await client.apply("/api/v1/namespaces", namespace(namespaces.driveSync, {}));
  await client.apply("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", prometheusRuleKind);
}

/** Whether the server serves the kind PrometheusRule: it takes a moment after the definition. */
export async function servesRules(client: KubernetesClient): Promise<boolean> {
  return (await client.get(prometheusRulesPath)) !== undefined;
}
