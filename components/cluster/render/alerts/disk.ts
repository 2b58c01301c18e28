import { diskMetricsPath, units } from "../../../../contract/host-names.ts";
import { type Alert, type AlertScope, minutes } from "./alert.ts";

const lastRun = "regwarden_disk_last_run_timestamp_seconds";
const free = "regwarden_disk_free_bytes / regwarden_disk_size_bytes * 100";
const summary = 'The store at {{ $labels.instance }} has {{ $value | printf "%.1f" }}% of its disk free';

/** The disk that the store lies on. Measured every five minutes, so an alert that waits as long has seen it twice. */
export function diskAlerts({ instance }: AlertScope): Alert[] {
  return [
    {
      name: "RegistryDiskLow",
      expr: `${free} < 15`,
      for: "15m",
      severity: "warning",
      summary,
      description: "Collect garbage or enlarge the disk in time: a full one breaks pushes half-way.",
    },
    {
      name: "RegistryDiskCritical",
      expr: `${free} < 5`,
      for: "5m",
      severity: "critical",
      summary,
      description: "Pushes are about to fail, and may leave incomplete uploads.",
    },
    {
      name: "RegistryDiskStale",
      expr: `time() - ${lastRun} > ${minutes(20)}`,
      for: "10m",
      severity: "warning",
      summary: "The free space at {{ $labels.instance }} was not measured for 20 minutes",
      description: `It is measured every five minutes: ${units.diskTimer} is stopped, or the measurement fails.`,
    },
    {
      name: "RegistryDiskAbsent",
      expr: `absent(${lastRun})`,
      for: "1h",
      severity: "warning",
      summary: `The free space of the disk of ${instance} is not known`,
      description: `It was never measured, or ${diskMetricsPath} is not scraped.`,
    },
  ];
}
