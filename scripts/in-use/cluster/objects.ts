import * as v from "valibot";

/** What of Kubernetes' objects says which workload runs which image where. */

const ownerSchema = v.object({
  kind: v.string(),
  name: v.string(),
  uid: v.string(),
  controller: v.optional(v.boolean(), false),
});

const metadataSchema = v.object({
  name: v.string(),
  namespace: v.optional(v.string(), ""),
  uid: v.optional(v.string(), ""),
  labels: v.optional(v.record(v.string(), v.string()), {}),
  ownerReferences: v.optional(v.array(ownerSchema), []),
});

const requirementSchema = v.object({
  key: v.string(),
  operator: v.string(),
  values: v.optional(v.array(v.string()), []),
});
const termSchema = v.object({
  matchExpressions: v.optional(v.array(requirementSchema), []),
  matchFields: v.optional(v.array(requirementSchema), []),
});
const affinitySchema = v.object({
  nodeAffinity: v.optional(
    v.object({
      requiredDuringSchedulingIgnoredDuringExecution: v.optional(
        v.object({ nodeSelectorTerms: v.array(termSchema) }),
      ),
    }),
  ),
});

// A container of a template may be without an image: the API server's defaults are none for it.
const containers = v.nullish(
  v.array(v.object({ name: v.optional(v.string(), ""), image: v.optional(v.string(), "") })),
);
const podSpecSchema = v.object({
  containers,
  initContainers: containers,
  ephemeralContainers: containers,
  nodeName: v.optional(v.string(), ""),
  nodeSelector: v.optional(v.record(v.string(), v.string()), {}),
  affinity: v.nullish(affinitySchema),
  /** Source: Kubernetes documentation, "Use an Image Volume With a Pod". */
  volumes: v.nullish(
    v.array(v.object({ image: v.nullish(v.object({ reference: v.optional(v.string(), "") })) })),
  ),
});

const template = v.object({ spec: podSpecSchema });

const statuses = v.nullish(
  v.array(
    v.object({
      name: v.string(),
      image: v.optional(v.string(), ""),
      /** Empty before the first pull. */
      imageID: v.optional(v.string(), ""),
    }),
  ),
);
const podStatusSchema = v.object({
  phase: v.optional(v.string(), ""),
  containerStatuses: statuses,
  initContainerStatuses: statuses,
  ephemeralContainerStatuses: statuses,
});

export const podSchema = v.object({
  metadata: metadataSchema,
  spec: podSpecSchema,
  status: v.optional(podStatusSchema, {}),
});
export const workloadSchema = v.object({
  metadata: metadataSchema,
  spec: v.object({ replicas: v.optional(v.number(), 1), template }),
});
export const jobSchema = v.object({
  metadata: metadataSchema,
  spec: v.object({ template }),
  status: v.optional(
    v.object({ conditions: v.optional(v.array(v.object({ type: v.string(), status: v.string() })), []) }),
    {},
  ),
});
export const cronJobSchema = v.object({
  metadata: metadataSchema,
  spec: v.object({ jobTemplate: v.object({ spec: v.object({ template }) }) }),
});
export const nodeSchema = v.object({
  metadata: metadataSchema,
  status: v.object({ nodeInfo: v.object({ operatingSystem: v.string(), architecture: v.string() }) }),
});

export type Metadata = v.InferOutput<typeof metadataSchema>;
export type PodSpec = v.InferOutput<typeof podSpecSchema>;
export type Requirement = v.InferOutput<typeof requirementSchema>;
export type KubernetesPod = v.InferOutput<typeof podSchema>;
export type KubernetesWorkload = v.InferOutput<typeof workloadSchema>;
export type KubernetesJob = v.InferOutput<typeof jobSchema>;
export type KubernetesCronJob = v.InferOutput<typeof cronJobSchema>;
export type KubernetesNode = v.InferOutput<typeof nodeSchema>;
