import { scanMetricsPath } from "../../../../contract/host-names.ts";
import { type Alert, type AlertScope, days, hours } from "./alert.ts";

const lastRun = "regwarden_scan_last_run_timestamp_seconds";

/** The scan of the store on the VM. */
export function scanAlerts(scope: AlertScope): Alert[] {
  return [...resultAlerts(), ...scanRunAlerts(scope)];
}

function resultAlerts(): Alert[] {
  return [
    {
      name: "RegistryScanFindings",
      expr: 'regwarden_scan_findings{severity="critical"} > 0',
      for: "15m",
      severity: "critical",
      summary:
        "{{ $value }} critical findings in the store of {{ $labels.registry }} at {{ $labels.instance }}",
      description: "Tags on disk need manifests or blobs that are missing.",
    },
    {
      name: "RegistryScanIncomplete",
      expr: "regwarden_scan_complete == 0",
      for: "15m",
      severity: "warning",
      summary: "The last scan at {{ $labels.instance }} could not read everything",
      description: "What it could not read may be broken.",
    },
  ];
}

/** Whether the scan runs and reads everything. */
function scanRunAlerts({ instance }: AlertScope): Alert[] {
  return [
    {
      name: "RegistryScanStale",
      expr: `time() - ${lastRun} > ${hours(36)}`,
      for: "15m",
      severity: "warning",
      summary: "No scan has ended at {{ $labels.instance }} for 36 hours",
      description: "It runs daily: its timer is stopped, or it hangs.",
    },
    {
      name: "RegistryScanAbsent",
      expr: `absent(${lastRun})`,
      for: "1h",
      severity: "warning",
      summary: `No scan of the store of ${instance} has reported`,
      description: `The scan never ran, or ${scanMetricsPath} is not scraped.`,
    },
    {
      name: "RegistryScanBlind",
      expr: `time() - regwarden_scan_success_timestamp_seconds > ${days(3)}`,
      for: "1h",
      severity: "critical",
      summary: "No scan at {{ $labels.instance }} was complete for 3 days",
      description: "Whether all of the store can be pulled is not known.",
    },
  ];
}
