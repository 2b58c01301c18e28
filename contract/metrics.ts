/**
 * Every metric that this project writes or builds alerts on: name, labels, unit and meaning, once. Programs write from
 * this table, rules, dashboard and documentation are checked against it.
 */
export interface Metric {
  readonly help: string;
  readonly labels: readonly string[];
}

/** Pushed by the probe, as one group that each run replaces. Label `instance` is the registry's public HOST:PORT. */
export const probeMetrics = {
  // The six that dashboards built for the former probe know; names and meaning stay.
  registry_manifest_integrity_failures: {
    help: "Broken references found by the last check that was complete enough to count",
    labels: ["instance"],
  },
  registry_manifest_integrity_catalog_accessible: {
    help: "1 when the catalogue could be read with the probe's account, else 0",
    labels: ["instance"],
  },
  registry_manifest_integrity_repos_checked: { help: "Repositories checked", labels: ["instance"] },
  registry_manifest_integrity_tags_checked: { help: "Tags checked", labels: ["instance"] },
  registry_manifest_integrity_indexes_checked: { help: "Image indexes checked", labels: ["instance"] },
  registry_manifest_integrity_last_run_timestamp: {
    help: "Unix time, in seconds, of the end of the last run, whatever its result",
    labels: ["instance"],
  },
  regwarden_probe_success_timestamp_seconds: {
    help: "Unix time of the end of the last run that checked everything; absent from a run that could not",
    labels: ["instance"],
  },
  regwarden_probe_complete: {
    help: "1 when the last run checked everything, else 0",
    labels: ["instance"],
  },
  regwarden_probe_duration_seconds: { help: "Time that the last run took", labels: ["instance"] },
  regwarden_probe_requests: { help: "HTTP requests of the last run", labels: ["instance"] },
  regwarden_probe_errors: {
    help: "Failed requests, by kind: unauthorised, unavailable, unexpected",
    labels: ["instance", "kind"],
  },
  regwarden_probe_authentication_required: {
    help: "1 when the registry refuses clients without an account, 0 when it lets them in",
    labels: ["instance"],
  },
  regwarden_probe_sentinel_present: {
    help: "1 when the sentinel repository is in the catalogue, 0 when another server answers for the registry",
    labels: ["instance"],
  },
  regwarden_probe_broken: {
    help: "Broken references by repository; no series for a repository without any",
    labels: ["instance", "repository"],
  },
  regwarden_probe_certificate_expiry_timestamp_seconds: {
    help: "Unix time at which the registry's TLS certificate expires",
    labels: ["instance"],
  },
} as const satisfies Record<string, Metric>;

/** Pushed by the check of the images in use, one group a registry. Label `instance` is the registry's public HOST:PORT. */
export const inUseMetrics = {
  regwarden_in_use_broken: {
    help: "1 for each image that a workload needs and cannot get, with the reason: absent, platform, broken; no series otherwise",
    labels: ["instance", "namespace", "workload_type", "workload", "image", "reason"],
  },
  regwarden_in_use_images: { help: "Images in use that were checked", labels: ["instance"] },
  regwarden_in_use_workloads: { help: "Workloads that need these images", labels: ["instance"] },
  regwarden_in_use_complete: {
    help: "1 when the last run read the cluster completely and checked all of its images, else 0",
    labels: ["instance"],
  },
  regwarden_in_use_duration_seconds: { help: "Time that the last run took", labels: ["instance"] },
  regwarden_in_use_last_run_timestamp_seconds: {
    help: "Unix time of the end of the last run, whatever its result",
    labels: ["instance"],
  },
  regwarden_in_use_success_timestamp_seconds: {
    help: "Unix time of the end of the last run that checked everything; absent from a run that could not",
    labels: ["instance"],
  },
} as const satisfies Record<string, Metric>;

/** Written by the scan beside its report, and served by nginx at /metrics/scan of the metrics port. */
export const scanMetrics = {
  regwarden_scan_findings: {
    help: "Findings of the last complete scan",
    labels: ["registry", "severity"],
  },
  regwarden_scan_complete: { help: "1 when the last scan could read everything, else 0", labels: [] },
  regwarden_scan_last_run_timestamp_seconds: { help: "Unix time of the end of the last scan", labels: [] },
  regwarden_scan_success_timestamp_seconds: {
    help: "Unix time of the end of the last complete scan",
    labels: [],
  },
  regwarden_scan_duration_seconds: { help: "Time that the last scan took", labels: [] },
  regwarden_scan_blob_bytes: { help: "Bytes of all blobs of a registry", labels: ["registry"] },
  regwarden_scan_filesystem_free_bytes: { help: "Free bytes of the store's file system", labels: [] },
  regwarden_scan_filesystem_size_bytes: { help: "Size of the store's file system", labels: [] },
} as const satisfies Record<string, Metric>;

/** Written by each run of gc, and served by nginx at /metrics/collect of the metrics port. */
export const collectMetrics = {
  regwarden_collect_last_run_timestamp_seconds: {
    help: "Unix time of the end of the last run, whatever its result",
    labels: [],
  },
  regwarden_collect_success_timestamp_seconds: {
    help: "Unix time of the end of the last run that removed what was dead, or found nothing to remove",
    labels: [],
  },
  regwarden_collect_mark_timestamp_seconds: {
    help: "Unix time of the end of the last complete mark, applied or not",
    labels: [],
  },
  regwarden_collect_complete: { help: "1 when the last run could read everything, else 0", labels: [] },
  regwarden_collect_applied: {
    help: "1 when the last run was one that removes, 0 when it only planned",
    labels: [],
  },
  regwarden_collect_refused: {
    help: "1 for each registry of which the last run removed less than was dead, with the reason: budget, damage, touched, freeze, moving, proof; no series otherwise",
    labels: ["registry", "reason"],
  },
  regwarden_collect_bytes: {
    help: "Bytes of blobs by state: needed by a tag, dead or about to be, quarantined",
    labels: ["registry", "state"],
  },
  regwarden_collect_removed_bytes: {
    help: "Bytes of the blobs that the last run moved into the quarantine, or would have with --apply",
    labels: ["registry"],
  },
  regwarden_collect_proof_lost_tags: {
    help: "Tags that were complete before the last run that removed, and not afterwards; all was put back then",
    labels: [],
  },
  regwarden_collect_freeze_seconds: {
    help: "Time for which the last run that removed held writes",
    labels: [],
  },
  regwarden_collect_duration_seconds: { help: "Time that the last run took", labels: [] },
} as const satisfies Record<string, Metric>;

/** Written by the retention, and served by nginx at /metrics/retain of the metrics port. */
export const retainMetrics = {
  regwarden_retain_tags: {
    help: "Tags of the last run by what was decided: keep, drop, or undecided, which stay because something could not be read",
    labels: ["registry", "decision"],
  },
  regwarden_retain_moved: {
    help: "Tags that the last run moved out of the store; 0 for a plan",
    labels: ["registry"],
  },
  regwarden_retain_refused: {
    help: "Repositories, or whole registries, of which less goes than the rules say, by reason: in-use, access-log, copied, clock, unreadable, budget, freeze, or history, which only time adds",
    labels: ["registry", "reason"],
  },
  regwarden_retain_history_timestamp_seconds: {
    help: "Unix time from when on the access log reaches back as far as all rules; absent when it does",
    labels: ["registry"],
  },
  regwarden_retain_applied: { help: "1 when the last run did what it planned, 0 for a plan", labels: [] },
  regwarden_retain_complete: {
    help: "1 when the last run could read everything that its rules need, else 0",
    labels: [],
  },
  regwarden_retain_last_run_timestamp_seconds: { help: "Unix time of the end of the last run", labels: [] },
  regwarden_retain_success_timestamp_seconds: {
    help: "Unix time of the end of the last complete run",
    labels: [],
  },
  regwarden_retain_freeze_seconds: {
    help: "Longest time for which the last run that moved tags held writes",
    labels: [],
  },
  regwarden_retain_duration_seconds: { help: "Time that the last run took", labels: [] },
} as const satisfies Record<string, Metric>;

/** Written by each purge of the quarantine, and served by nginx at /metrics/purge of the metrics port. */
export const purgeMetrics = {
  regwarden_purge_last_run_timestamp_seconds: {
    help: "Unix time of the end of the last purge, whatever its result",
    labels: [],
  },
  regwarden_purge_success_timestamp_seconds: {
    help: "Unix time of the end of the last purge that removed what was old enough",
    labels: [],
  },
  regwarden_purge_complete: {
    help: "1 when the last purge could check what the stores need, else 0",
    labels: [],
  },
  regwarden_purge_freed_bytes: {
    help: "Bytes that the file system has back since the last purge; 0 for a plan",
    labels: [],
  },
  regwarden_purge_put_back: {
    help: "Links and blobs that the last purge found needed, and put back instead",
    labels: [],
  },
} as const satisfies Record<string, Metric>;

/** Written on the VM by the watch that puts quarantined things back, and served by nginx at /metrics/restore. */
export const restoreMetrics = {
  regwarden_collect_restored_total: {
    help: "Links and blobs that were put back from the quarantine because a client wanted them",
    labels: [],
  },
  regwarden_collect_watch_timestamp_seconds: {
    help: "Unix time at which the watch last showed that it follows the access log; once a minute",
    labels: [],
  },
} as const satisfies Record<string, Metric>;

/** Written on the VM every few minutes, and served by nginx at /metrics/disk of the metrics port. */
export const diskMetrics = {
  regwarden_disk_free_bytes: {
    help: "Bytes of the disk of the store that the registries may still use",
    labels: [],
  },
  regwarden_disk_size_bytes: { help: "Size of the disk of the store", labels: [] },
  regwarden_disk_last_run_timestamp_seconds: { help: "Unix time of this measurement", labels: [] },
} as const satisfies Record<string, Metric>;

/** Written by the copying of the private registry's store to another machine, and served by nginx at /metrics/backup of the metrics port. */
export const backupMetrics = {
  regwarden_backup_last_run_timestamp_seconds: {
    help: "Unix time of the end of the last run, whatever its result",
    labels: [],
  },
  regwarden_backup_success_timestamp_seconds: {
    help: "Unix time of the end of the last run that made a complete copy; absent before the first",
    labels: [],
  },
  regwarden_backup_complete: {
    help: "1 when the last run made a complete copy, else 0",
    labels: [],
  },
  regwarden_backup_duration_seconds: { help: "Time that the last run took", labels: [] },
  regwarden_backup_tags: { help: "Tags of the store at the end of the last run", labels: [] },
} as const satisfies Record<string, Metric>;

/** Written by the copying of single images out of the private registry's store, and served by nginx at /metrics/break-glass of the metrics port. */
export const breakGlassMetrics = {
  regwarden_break_glass_last_run_timestamp_seconds: {
    help: "Unix time of the end of the last run, whatever its result",
    labels: [],
  },
  regwarden_break_glass_success_timestamp_seconds: {
    help: "Unix time of the end of the last run that copied every image; absent before the first",
    labels: [],
  },
  regwarden_break_glass_images: { help: "Images that are to be copied", labels: [] },
  regwarden_break_glass_failed: {
    help: "Images that the last run could not copy; their former copies stay",
    labels: [],
  },
} as const satisfies Record<string, Metric>;

/** Counted by nginx, and served at /metrics/freeze of the metrics port; the totals begin anew with its container. */
export const freezeMetrics = {
  regwarden_freeze_active: { help: "1 while writes to the private registry are held, else 0", labels: [] },
  regwarden_freeze_held_requests: { help: "Writes that are held now", labels: [] },
  regwarden_freeze_held_requests_total: {
    help: "Writes that were held, for however short a time",
    labels: [],
  },
  regwarden_freeze_refused_requests_total: {
    help: "Writes that were held for too long, or one too many, and were answered 429 or 503",
    labels: [],
  },
} as const satisfies Record<string, Metric>;

/** Pushed by the drift run, one group a stack. */
export const driftMetrics = {
  drift_stack_state: { help: "0 no drift, 1 drift, 2 could not check", labels: ["stack"] },
  drift_stack_first_seen: {
    help: "Unix time at which the drift that still stands was first seen; 0 without drift",
    labels: ["stack"],
  },
  drift_stack_age_hours: { help: "Hours since the drift was first seen; 0 without drift", labels: ["stack"] },
  drift_stack_count: { help: "Resources that differ", labels: ["stack"] },
  drift_stack_last_run_timestamp: {
    help: "Unix time of the last drift run, whatever came of it",
    labels: ["stack"],
  },
} as const satisfies Record<string, Metric>;

/** Pushed by the drift run into the same group: what is on the host beside what is declared. */
export const unmanagedMetrics = {
  drift_unmanaged_count: {
    help: "Things on the host that are not declared, by kind: file, container, unit, job, port; no series for a kind that could not be checked",
    labels: ["stack", "kind"],
  },
  drift_unmanaged_unchecked: { help: "Kinds of these that could not be checked", labels: ["stack"] },
} as const satisfies Record<string, Metric>;

/** Pushed by the Drive synchronisation, one group a site. */
export const driveSyncMetrics = {
  regwarden_drive_sync_last_run_timestamp_seconds: { help: "Unix time of the last run", labels: ["site"] },
  regwarden_drive_sync_success_timestamp_seconds: {
    help: "Unix time of the last run that synchronised",
    labels: ["site"],
  },
  regwarden_drive_sync_skipped: {
    help: "1 when the last run left the site alone because the source was empty or incomplete, else 0",
    labels: ["site"],
  },
  regwarden_drive_sync_failed: { help: "1 when the last run failed, else 0", labels: ["site"] },
} as const satisfies Record<string, Metric>;
