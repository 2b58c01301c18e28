import { cronJobs } from "../../../../contract/cluster-names.ts";
import type { Alert, AlertScope } from "./alert.ts";

/** What the check of the images in use found, and whether it runs. None where it is off. */
export function inUseAlerts({ imagesOf }: AlertScope): Alert[] {
  if (imagesOf === undefined) return [];
  const lastRun = "regwarden_in_use_last_run_timestamp_seconds";
  const success = "regwarden_in_use_success_timestamp_seconds";
  return [
    {
      name: "RegistryImageInUseBroken",
      expr: "regwarden_in_use_broken > 0",
      for: "5m",
      severity: "critical",
      summary:
        "{{ $labels.workload_type }} {{ $labels.namespace }}/{{ $labels.workload }} needs {{ $labels.image }}, which {{ $labels.instance }} cannot serve ({{ $labels.reason }})",
      description:
        "What runs goes on, but no new pod of it starts: a restart, a drained node or a rollout takes the workload down.",
    },
    {
      name: "RegistryInUseIncomplete",
      expr: "regwarden_in_use_complete == 0",
      for: "45m",
      severity: "warning",
      summary: "The images of {{ $labels.instance }} that the cluster needs could not all be checked",
      description:
        "The cluster or the registry did not answer everything: what was not checked may be broken.",
    },
    {
      name: "RegistryInUseStale",
      expr: `time() - ${lastRun} > 3600`,
      for: "15m",
      severity: "warning",
      summary:
        "The images of {{ $labels.instance }} that the cluster needs have not been checked for over an hour",
      description: `The CronJob ${cronJobs.inUse} does not start, does not end, or cannot reach the Pushgateway.`,
    },
    {
      name: "RegistryInUseAbsent",
      expr: `absent(${lastRun}{instance="${imagesOf}"})`,
      for: "30m",
      severity: "warning",
      summary: "The images of {{ $labels.instance }} that the cluster needs were never checked",
      description: `The CronJob ${cronJobs.inUse} never ran, or the Pushgateway lost its metrics or is not scraped.`,
    },
    {
      name: "RegistryInUseBlind",
      expr: `absent_over_time(${success}{instance="${imagesOf}"}[6h])`,
      for: "15m",
      severity: "critical",
      summary:
        "The images of {{ $labels.instance }} that the cluster needs have not been fully checked for 6 hours",
      description: `No run of ${cronJobs.inUse} was complete in that time.`,
    },
  ];
}
