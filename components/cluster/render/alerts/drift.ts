import { type Alert, type AlertScope, hours } from "./alert.ts";

const lastRun = "drift_stack_last_run_timestamp";

/** Whether the machine and the cluster still are what the program says, and whether anybody looks. */
export function driftAlerts(scope: AlertScope): Alert[] {
  return [...foundAlerts(), ...driftRunAlerts(scope)];
}

function foundAlerts(): Alert[] {
  return [
    {
      name: "DriftFound",
      expr: "drift_stack_state == 1",
      for: "1h",
      severity: "warning",
      summary: "The stack {{ $labels.stack }} has drifted",
      description: "Somebody or something changed what the program declares.",
    },
    {
      name: "DriftUnaddressed",
      // Not the pushed age: that stands still when the drift runs stop.
      expr: `time() - (drift_stack_first_seen > 0) > ${hours(72)}`,
      for: "1h",
      severity: "warning",
      summary: "The stack {{ $labels.stack }} has drifted for {{ $value | humanizeDuration }}",
      description: "Nobody has taken the change into the program or undone it for more than 72 hours.",
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
      summary: "The drift run of the stack {{ $labels.stack }} could not look",
      description: "The preview failed: there may be drift, or none.",
    },
    {
      name: "DriftDetectionStale",
      expr: `time() - ${lastRun} > ${hours(26)}`,
      for: "30m",
      severity: "warning",
      summary: "No drift run of the stack {{ $labels.stack }} for more than 26 hours",
      description: "It runs daily: the pipeline's schedule is off, or it fails before it can say so.",
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
