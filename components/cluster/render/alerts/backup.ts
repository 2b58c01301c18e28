import { backupMetricsPath, units } from "../../../../contract/host-names.ts";
import { type Alert, type AlertScope, days } from "./alert.ts";

/** Copies of the store on another machine, where there are any. */
export function backupAlerts({ instance, backsUp }: AlertScope): Alert[] {
  if (!backsUp) return [];
  return [
    {
      name: "RegistryBackupStale",
      expr: `time() - regwarden_backup_success_timestamp_seconds > ${days(2)}`,
      for: "1h",
      severity: "warning",
      summary: "The store at {{ $labels.instance }} was not copied to another machine for 2 days",
      description: `Its timer is stopped, or each run fails: see ${units.backup}.`,
    },
    {
      name: "RegistryBackupAbsent",
      expr: "absent(regwarden_backup_success_timestamp_seconds)",
      for: "36h",
      severity: "warning",
      summary: `No copy of the store of ${instance} has ever been complete`,
      description: `None ever worked, or ${backupMetricsPath} is not scraped.`,
    },
  ];
}
