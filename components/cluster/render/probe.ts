import { cronJobs } from "../../../contract/cluster-names.ts";
import { variables } from "../../../contract/environment.ts";
import { programUid } from "../../../contract/host-names.ts";
import { sentinelReference } from "../../../contract/registries.ts";
import type { ClusterSettings } from "../settings.ts";
import { cronJobSpec, type Variable } from "./cron-job.ts";
import {
  authorityVariables,
  type ProgramMounts,
  programMounts,
  programPath,
  programVolumes,
  registryVariables,
} from "./programs.ts";

export const PROBE_LABELS = { "app.kubernetes.io/name": cronJobs.probe };

// Ends before the next run of the default schedule begins.
const ACTIVE_DEADLINE_SECONDS = 840;

/** Spec of the probe's CronJob. */
export function probeCronJob(settings: ClusterSettings, mounts: ProgramMounts) {
  const { probe, nodeImage } = settings;
  return cronJobSpec({
    name: cronJobs.probe,
    schedule: probe.schedule,
    labels: PROBE_LABELS,
    image: nodeImage,
    command: command(probe.shards),
    env: probeVariables(settings, mounts),
    volumes: programVolumes(mounts),
    mounts: programMounts(mounts),
    memoryLimit: probe.memoryLimit,
    activeDeadlineSeconds: ACTIVE_DEADLINE_SECONDS,
    ttlSecondsAfterFinished: 3600,
    serviceAccountName: mounts.serviceAccount,
    runAsUser: programUid,
    shards: probe.shards,
  });
}

// The API server puts the index into the pods of an Indexed Job; kubelet fills it in.
function command(shards: number): string[] {
  const program = ["node", programPath, "probe"];
  return shards > 1 ? [...program, "--shard", `$(JOB_COMPLETION_INDEX)/${shards}`] : program;
}

function probeVariables(settings: ClusterSettings, mounts: ProgramMounts): Variable[] {
  const sentinel = { name: variables.sentinelRepository, value: sentinelReference.repository };
  return [
    ...registryVariables(settings, mounts, settings.probe.instance),
    sentinel,
    ...authorityVariables(mounts),
  ];
}
