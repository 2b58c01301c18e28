import { cronJobs } from "../../../contract/cluster-names.ts";
import { programUid } from "../../../contract/host-names.ts";
import { inUseReference } from "../../../contract/registries.ts";
import type { ClusterSettings } from "../settings.ts";
import { cronJobSpec } from "./cron-job.ts";
import {
  authorityVariables,
  type ProgramMounts,
  programMounts,
  programPath,
  programVolumes,
  registryVariables,
} from "./programs.ts";

export const IN_USE_LABELS = { "app.kubernetes.io/name": cronJobs.inUse };

// Ends before the next run of the default schedule begins.
const ACTIVE_DEADLINE_SECONDS = 840;

/** A name for what belongs to no namespace: one cluster may have several of these stacks. */
export function inUseClusterRoleName({ namespace }: Pick<ClusterSettings, "namespace">): string {
  return `${cronJobs.inUse}-${namespace}`;
}

/** May list what names images and owners, and nodes for their platforms; reads no Secret and changes nothing. */
export function inUseRules() {
  return [
    { apiGroups: [""], resources: ["nodes", "pods"], verbs: ["list"] },
    {
      apiGroups: ["apps"],
      resources: ["daemonsets", "deployments", "replicasets", "statefulsets"],
      verbs: ["list"],
    },
    { apiGroups: ["batch"], resources: ["cronjobs", "jobs"], verbs: ["list"] },
  ];
}

/** Spec of the CronJob that checks the images in use. The only one whose pods get a token. */
export function inUseCronJob(settings: ClusterSettings, mounts: ProgramMounts) {
  const { inUse, nodeImage } = settings;
  const { repository, tag } = inUseReference;
  return cronJobSpec({
    name: cronJobs.inUse,
    schedule: inUse.schedule,
    labels: IN_USE_LABELS,
    image: nodeImage,
    command: ["node", programPath, "in-use", "--publish", `${repository}:${tag}`],
    env: [...registryVariables(settings, mounts, inUse.registry), ...authorityVariables(mounts)],
    volumes: programVolumes(mounts),
    mounts: programMounts(mounts),
    memoryLimit: inUse.memoryLimit,
    activeDeadlineSeconds: ACTIVE_DEADLINE_SECONDS,
    ttlSecondsAfterFinished: 3600,
    serviceAccountName: mounts.serviceAccount,
    automountServiceAccountToken: true,
    runAsUser: programUid,
  });
}
