import { breakGlassMetricsPath, units } from "../../../../contract/host-names.ts";
import { type Alert, type AlertScope, days } from "./alert.ts";

/** Break glass copies of images, where there are any. */
export function breakGlassAlerts({ instance, breaksGlass }: AlertScope): Alert[] {
  if (!breaksGlass) return [];
  return [
    {
      name: "RegistryBreakGlassStale",
      expr: `time() - regwarden_break_glass_success_timestamp_seconds > ${days(2)}`,
      for: "1h",
      severity: "warning",
      summary: "The break glass copies of images at {{ $labels.instance }} are older than 2 days",
      description: `An image is damaged, the timer is stopped, or each run fails: see ${units.breakGlass}.`,
    },
    {
      name: "RegistryBreakGlassAbsent",
      expr: "absent(regwarden_break_glass_success_timestamp_seconds)",
      for: "36h",
      severity: "warning",
      summary: `The break glass copies of images of ${instance} have never been complete`,
      description: `No run ever copied all, or ${breakGlassMetricsPath} is not scraped.`,
    },
  ];
}
