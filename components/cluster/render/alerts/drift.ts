import { type Alert, type AlertScope, hours } from "./alert.ts";

const lastRun = "drift_stack_last_run_timestamp";

/** Whether the machine and the cluster still are what the program says, and whether drift runs take place. */
export function driftAlerts(scope: AlertScope): Alert[] {
  return [...foundAlerts(), ...unmanagedAlerts(), ...driftRunAlerts(scope)];
}

function foundAlerts(): Alert[] {
  return [
    {
      name: "DriftFound",
      expr: "drift_stack_state == 1",
      for: "1h",
      severity: "warning",
      summary: "The stack {{ $labels.stack }} has drifted",
      description: "What the program declares was changed past it: by hand, or by another program.",
    },
    {
      name: "DriftUnaddressed",
      // Not the pushed age: that stands still when the drift runs stop.
      expr: `time() - (drift_stack_first_seen > 0) > ${hours(72)}`,
      for: "1h",
      severity: "warning",
      summary: "The stack {{ $labels.stack }} has drifted for {{ $value | humanizeDuration }}",
      description: "The change was neither taken into the program nor undone for more than 72 hours.",
    },
  ];
}

function unmanagedAlerts(): Alert[] {
  return [
    {
      name: "HarmfulJobScheduled",
      expr: 'drift_unmanaged_count{kind="job"} > 0',
      for: "15m",
      severity: "critical",
      summary:
        "The host of the stack {{ $labels.stack }} schedules what removes the children of tagged indexes",
      description:
        "A crontab line, timer or unit runs garbage-collect with -m, or a script that removes tags or links.",
    },
    {
      name: "UnmanagedNotChecked",
      expr: "drift_unmanaged_unchecked > 0",
      for: "1h",
      severity: "warning",
      summary:
        "What the host of the stack {{ $labels.stack }} has beside what is declared could not be checked",
      description:
        "A drift run could not read files, containers, units, jobs or ports: there may be a harmful job, or none.",
    },
  ];
}

function driftRunAlerts({ stack }: AlertScope): Alert[] {
  return [
    {
      name: "DriftNotChecked",
      expr: "drift_stack_state == 2",
      for: "1h",
      severity: "warning",
      summary: "The drift run of the stack {{ $labels.stack }} could not check",
      description: "The preview failed: there may be drift, or none.",
    },
    {
      name: "DriftDetectionStale",
      expr: `time() - ${lastRun} > ${hours(26)}`,
      for: "30m",
      severity: "warning",
      summary: "No drift run of the stack {{ $labels.stack }} for more than 26 hours",
      description: "It runs daily: the pipeline's schedule is off, or it fails before it can report.",
    },
    {
      name: "DriftDetectionAbsent",
      expr: `absent(${lastRun}{stack="${stack}"})`,
      // A new stack has no drift run before the next night.
      for: "26h",
      severity: "warning",
      summary: "No drift run has ever reported for the stack {{ $labels.stack }}",
      description: "The scheduled pipeline was never set up, or the Pushgateway lost its metrics.",
    },
  ];
}
