/** A mount of the job's only container. */
export interface Mount {
  name: string;
  mountPath: string;
  readOnly?: boolean;
}

export interface Volume {
  name: string;
  secret?: { secretName: string; defaultMode: number };
  configMap?: { name: string; defaultMode: number };
  emptyDir?: { medium: string; sizeLimit: string };
  persistentVolumeClaim?: { claimName: string };
}

export interface Variable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef: { name: string; key: string } };
}

/** What differs between the stack's jobs. */
export interface JobPlan {
  /** Names the container, too. */
  readonly name: string;
  readonly schedule: string;
  readonly labels: Record<string, string>;
  readonly image: string;
  readonly command: string[];
  readonly env: Variable[];
  readonly volumes: Volume[];
  readonly mounts: Mount[];
  readonly memoryLimit: string;
  readonly activeDeadlineSeconds: number;
  readonly ttlSecondsAfterFinished: number;
  readonly serviceAccountName: string;
  /** Whether the pods may ask the API server. @default false */
  readonly automountServiceAccountToken?: boolean;
  readonly runAsUser: number;
  /** Pods of one run. @default 1 */
  readonly shards?: number;
}

/**
 * Spec of a CronJob. Fields that have the API server's default stand here all the same when their change would disarm
 * the job: drift is seen in declared fields only. `suspend` and `parallelism: 0` are the ways to stop it silently.
 */
export function cronJobSpec(plan: JobPlan) {
  const shards = plan.shards ?? 1;
  return {
    schedule: plan.schedule,
    timeZone: "Etc/UTC",
    suspend: false,
    concurrencyPolicy: "Forbid",
    startingDeadlineSeconds: 300,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 3,
    jobTemplate: {
      metadata: { labels: plan.labels },
      spec: {
        suspend: false,
        completions: shards,
        parallelism: shards,
        completionMode: shards > 1 ? "Indexed" : "NonIndexed",
        backoffLimit: 1,
        activeDeadlineSeconds: plan.activeDeadlineSeconds,
        ttlSecondsAfterFinished: plan.ttlSecondsAfterFinished,
        template: { metadata: { labels: plan.labels }, spec: podSpec(plan) },
      },
    },
  };
}

/** Passes Pod Security "restricted". */
function podSpec(plan: JobPlan) {
  return {
    // With OnFailure the kubelet removes the pod of a failed job, and with it the log that the alert points to.
    restartPolicy: "Never",
    serviceAccountName: plan.serviceAccountName,
    automountServiceAccountToken: plan.automountServiceAccountToken ?? false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: plan.runAsUser,
      runAsGroup: plan.runAsUser,
      fsGroup: plan.runAsUser,
      // A volume of many files is not walked at every start.
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [container(plan)],
    volumes: plan.volumes,
  };
}

function container({ name, image, command, env, mounts, memoryLimit }: JobPlan) {
  return {
    name,
    image,
    imagePullPolicy: "IfNotPresent",
    command,
    env,
    volumeMounts: mounts,
    resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: memoryLimit } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ["ALL"] },
    },
  };
}
