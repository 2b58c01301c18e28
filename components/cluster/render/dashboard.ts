import { days } from "./alerts/alert.ts";
import { type Panel, positioned, row, stat, table, timeSeries } from "./panels.ts";
import { sources } from "./sources.ts";

/** The label that Grafana's sidecar selects by. */
export const DASHBOARD_LABELS = { grafana_dashboard: "1" };

const { registries, cacheLookups } = sources;
const age = (timestamp: string) => `time() - ${timestamp}`;
const lookups = (type: string) =>
  `sum by (registry) (rate(${cacheLookups}{${registries},type="${type}"}[$__rate_interval]))`;

/** All panels, in rows by the question that they answer. */
function panels(): Panel[] {
  return [
    ...integrityPanels(),
    ...watchPanels(),
    ...registryPanels(),
    ...diskPanels(),
    ...maintenancePanels(),
    ...driftPanels(),
  ];
}

function integrityPanels(): Panel[] {
  return [
    row("Can everything be pulled?"),
    stat("Broken references", "registry_manifest_integrity_failures", { red: 1 }),
    stat("Critical findings on disk", 'sum(regwarden_scan_findings{severity="critical"})', { red: 1 }),
    stat("Checked everything", "regwarden_probe_complete", { green: 1 }),
    stat("Password asked for", "regwarden_probe_authentication_required", { green: 1 }),
    stat("Sentinel there", "regwarden_probe_sentinel_present", { green: 1 }),
    stat("Catalogue readable", "registry_manifest_integrity_catalog_accessible", { green: 1 }),
    table("Broken references by repository", "sort_desc(regwarden_probe_broken)"),
    timeSeries("Findings of the scan", [
      ["sum by (registry, severity) (regwarden_scan_findings)", "{{registry}} {{severity}}"],
    ]),
  ];
}

function watchPanels(): Panel[] {
  return [
    row("Do the checks run?"),
    timeSeries(
      "Age of the last run",
      [
        [age("registry_manifest_integrity_last_run_timestamp"), "probe {{instance}}"],
        [age("regwarden_scan_last_run_timestamp_seconds"), "scan {{instance}}"],
        [age("drift_stack_last_run_timestamp"), "drift {{stack}}"],
        [age("regwarden_drive_sync_last_run_timestamp_seconds"), "Drive {{site}}"],
      ],
      "s",
    ),
    timeSeries(
      "What the probe checked",
      [
        ["registry_manifest_integrity_repos_checked", "repositories"],
        ["registry_manifest_integrity_tags_checked", "tags"],
        ["registry_manifest_integrity_indexes_checked", "indexes"],
        ["regwarden_probe_requests", "requests"],
      ],
      "short",
    ),
    timeSeries("Failed requests", [["regwarden_probe_errors", "{{kind}}"]]),
    timeSeries(
      "Duration",
      [
        ["regwarden_probe_duration_seconds", "probe"],
        ["regwarden_scan_duration_seconds", "scan"],
      ],
      "s",
    ),
  ];
}

function registryPanels(): Panel[] {
  return [
    row("Registries and caches"),
    timeSeries("Up", [[`up{${registries}}`, "{{registry}}"]]),
    timeSeries(
      "Cache hit rate",
      [[`${lookups("Hit")} / ${lookups("Request")}`, "{{registry}}"]],
      "percentunit",
    ),
    stat("Certificate expires in", "regwarden_probe_certificate_expiry_timestamp_seconds - time()", {
      green: days(14),
      unit: "s",
    }),
  ];
}

function diskPanels(): Panel[] {
  return [
    row("Disk"),
    timeSeries(
      "Free",
      [["regwarden_disk_free_bytes / regwarden_disk_size_bytes", "{{instance}}"]],
      "percentunit",
    ),
    timeSeries("Blobs", [["regwarden_scan_blob_bytes", "{{registry}}"]], "bytes"),
  ];
}

function maintenancePanels(): Panel[] {
  return [
    row("What is kept, and what goes?"),
    timeSeries("Bytes by state", [["regwarden_collect_bytes", "{{registry}} {{state}}"]], "bytes"),
    timeSeries("Tags by decision", [["regwarden_retain_tags", "{{registry}} {{decision}}"]]),
    timeSeries(
      "Writes held by the last run",
      [
        ["regwarden_collect_freeze_seconds", "collection"],
        ["regwarden_retain_freeze_seconds", "retention"],
      ],
      "s",
    ),
    timeSeries("Held requests", [
      ["regwarden_freeze_held_requests", "now"],
      ["increase(regwarden_freeze_held_requests_total[$__rate_interval])", "held"],
      ["increase(regwarden_freeze_refused_requests_total[$__rate_interval])", "refused"],
    ]),
    timeSeries(
      "Age of the last complete run",
      [
        [age("regwarden_retain_success_timestamp_seconds"), "retention"],
        [age("regwarden_collect_mark_timestamp_seconds"), "mark"],
        [age("regwarden_collect_success_timestamp_seconds"), "collection"],
        [age("regwarden_purge_success_timestamp_seconds"), "purge"],
      ],
      "s",
    ),
    stat("Removed in the last run", "sum(regwarden_collect_removed_bytes)", { green: 0, unit: "bytes" }),
    stat("Tags lost by the proof", "regwarden_collect_proof_lost_tags", { red: 1 }),
    stat("Put back on demand", "regwarden_collect_restored_total", { red: 1 }),
  ];
}

function driftPanels(): Panel[] {
  return [
    row("Drift"),
    stat("Resources that differ", "drift_stack_count", { red: 1 }),
    stat("Drift for hours", "drift_stack_age_hours", { red: 72 }),
    timeSeries("On the host and not declared", [["drift_unmanaged_count", "{{stack}} {{kind}}"]]),
    timeSeries("State (0 none, 1 drift, 2 could not check)", [["drift_stack_state", "{{stack}}"]]),
  ];
}

/** The dashboard as Grafana imports it. */
export function dashboard() {
  return {
    uid: "regwarden",
    title: "Docker registry",
    description: "Can everything be pulled, do the checks run, and is the machine what the program says",
    tags: ["registry", "regwarden"],
    editable: false,
    schemaVersion: 39,
    refresh: "1m",
    time: { from: "now-24h", to: "now" },
    templating: {
      list: [{ name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus" }],
    },
    panels: positioned(panels()),
  };
}

/** Every query of the dashboard, as it stands there. */
export function dashboardQueries(): string[] {
  return panels().flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
}
