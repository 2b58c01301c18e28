import type * as pulumi from "@pulumi/pulumi";

/**
 * KYVERNO_LIFECYCLE_V1: Kyverno adds `dnsConfig` (ndots) to every pod template that has none, and Goldilocks labels
 * namespaces. That is the cluster's business and no drift; any other change still is.
 */
const POD_TEMPLATE: Readonly<Record<string, string>> = {
  "kubernetes:core/v1:Pod": "spec",
  "kubernetes:batch/v1:CronJob": "spec.jobTemplate.spec.template.spec",
  "kubernetes:batch/v1:Job": "spec.template.spec",
  "kubernetes:apps/v1:Deployment": "spec.template.spec",
  "kubernetes:apps/v1:StatefulSet": "spec.template.spec",
  "kubernetes:apps/v1:DaemonSet": "spec.template.spec",
  "kubernetes:apps/v1:ReplicaSet": "spec.template.spec",
};

const NAMESPACE = "kubernetes:core/v1:Namespace";
const GOLDILOCKS_LABEL = 'metadata.labels["goldilocks.fairwinds.com/vpa-update-mode"]';

/** The fields of a resource type that admission may set. */
export function admissionFields(type: string): string[] {
  if (type === NAMESPACE) return [GOLDILOCKS_LABEL];
  const podSpec = POD_TEMPLATE[type];
  return podSpec === undefined ? [] : [`${podSpec}.dnsConfig`];
}

/** One transform for the whole cluster side: what it adds needs no repetition in any component. */
export const ignoreAdmissionChanges: pulumi.ResourceTransform = ({ type, props, opts }) => {
  const fields = admissionFields(type);
  if (fields.length === 0) return undefined;
  const custom: pulumi.CustomResourceOptions = opts;
  return { props, opts: { ...custom, ignoreChanges: [...(custom.ignoreChanges ?? []), ...fields] } };
};
