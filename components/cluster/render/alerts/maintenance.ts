import { maintenanceMetricsPaths, units } from "../../../../contract/host-names.ts";
import { freezeLimits } from "../../../../contract/write-freeze.ts";
import { type Alert, type AlertScope, days } from "./alert.ts";

const sinceRetention = "time() - regwarden_retain_success_timestamp_seconds";
const sinceMark = "time() - regwarden_collect_mark_timestamp_seconds";
const sinceCollection = "time() - regwarden_collect_success_timestamp_seconds";
const free = "regwarden_disk_free_bytes";
const tooLong = (freeze: string) => `${freeze} > ${freezeLimits.budgetSeconds}`;

/** Retention, marks, collections, and the disk that they are for. */
export function maintenanceAlerts(scope: AlertScope): Alert[] {
  return [...collectionAlerts(), ...runAlerts(scope), ...spaceAlerts()];
}

/** What a collection has done, or has not. */
function collectionAlerts(): Alert[] {
  return [
    {
      name: "RegistryCollectionProofFailed",
      expr: "regwarden_collect_proof_lost_tags > 0",
      for: "1m",
      severity: "critical",
      summary: "After a collection at {{ $labels.instance }}, {{ $value }} tags were not complete any more",
      description: "All that it had moved was put back at once; why these tags needed it is to be found out.",
    },
    {
      name: "RegistryCollectionRefused",
      expr: "regwarden_collect_refused > 0",
      for: "15m",
      severity: "warning",
      summary:
        "The collection of {{ $labels.registry }} at {{ $labels.instance }} removed less than is dead: {{ $labels.reason }}",
      description: "It would have removed more than it may, or could not be sure of what is needed.",
    },
    {
      name: "RegistryRetentionRefused",
      expr: 'regwarden_retain_refused{reason!="history"} > 0',
      for: "15m",
      severity: "warning",
      summary:
        "In {{ $value }} repositories of {{ $labels.registry }} at {{ $labels.instance }} tags stay that the rules drop: {{ $labels.reason }}",
      description:
        "Something that a rule needs could not be read, writes could not be held, or more would go than may.",
    },
    {
      name: "RegistryFreezeTooLong",
      expr: `${tooLong("regwarden_collect_freeze_seconds")} or ${tooLong("regwarden_retain_freeze_seconds")}`,
      for: "1m",
      severity: "warning",
      summary:
        'The last collection or retention at {{ $labels.instance }} held writes for {{ $value | printf "%.1f" }} seconds',
      description: `Pushes waited for longer than the ${freezeLimits.budgetSeconds} seconds that are meant.`,
    },
    {
      name: "RegistryRestored",
      expr: "increase(regwarden_collect_restored_total[1h]) > 0",
      for: "1m",
      severity: "warning",
      summary: "Clients of {{ $labels.instance }} missed what a collection had moved away; it was put back",
      description: "Nothing is lost, and something is used that no tag, list or log named.",
    },
  ];
}

/** Whether the runs take place. */
function runAlerts({ instance, collects }: AlertScope): Alert[] {
  const stale = (name: string, expr: string, limit: number, what: string, unit: string): Alert => ({
    name,
    expr: `${expr} > ${limit}`,
    for: "1h",
    severity: "warning",
    summary: `${what} at {{ $labels.instance }} was complete for ${limit / days(1)} days`,
    description: `Its timer is stopped, or each run fails: see ${unit}.`,
  });
  return [
    stale("RegistryRetentionStale", sinceRetention, days(3), "No retention", units.retain),
    stale("RegistryMarkStale", sinceMark, days(3), "No mark", units.mark),
    ...(collects
      ? [stale("RegistryCollectionStale", sinceCollection, days(15), "No collection", units.collect)]
      : []),
    {
      name: "RegistryMaintenanceAbsent",
      expr: "absent(regwarden_collect_last_run_timestamp_seconds)",
      for: "48h",
      severity: "warning",
      summary: `No mark or collection of ${instance} has reported`,
      description: `None ever ran, or ${maintenanceMetricsPaths.collect} is not scraped.`,
    },
  ];
}

/** Space that is needed soon. */
function spaceAlerts(): Alert[] {
  const full = `predict_linear(${free}[6h], ${days(4)}) < 0`;
  return [
    {
      name: "RegistryQuarantineGrowing",
      expr:
        'sum by (instance) (regwarden_collect_bytes{state="quarantined"}) ' +
        "/ on (instance) regwarden_disk_size_bytes * 100 > 25",
      for: "1h",
      severity: "warning",
      summary: 'The quarantine takes {{ $value | printf "%.0f" }}% of the disk at {{ $labels.instance }}',
      description: `What collections moved away frees no space until it is purged: see ${units.purge}.`,
    },
    {
      name: "RegistryDiskFullSoon",
      expr: full,
      for: "1h",
      severity: "warning",
      summary: "The disk of the store at {{ $labels.instance }} will be full within 4 days",
      description: "By what it lost in the last 6 hours. A full disk breaks pushes half-way.",
    },
    {
      name: "RegistryCollectionOff",
      expr: `${full} and on (instance) max_over_time(regwarden_collect_applied[8d]) == 0`,
      for: "1h",
      severity: "warning",
      summary:
        "The disk of the store at {{ $labels.instance }} fills, and no collection has removed anything for 8 days",
      description: "While the mode of the collection is plan, what no tag needs is counted and stays.",
    },
  ];
}
