import { type Alert, type AlertScope, days } from "./alert.ts";

/** What the probe found, as a client of the registry. */
function findingAlerts(): Alert[] {
  return [
    {
      name: "RegistryManifestIntegrityFailure",
      expr: "registry_manifest_integrity_failures > 0",
      for: "30m",
      severity: "critical",
      summary: "{{ $value }} broken references in the registry {{ $labels.instance }}",
      description:
        "Tags are there whose manifests or blobs are not: their pulls fail. Mostly this is a garbage collection that took the children of an image index.",
    },
    {
      name: "RegistryCatalogInaccessible",
      expr: "registry_manifest_integrity_catalog_accessible == 0",
      for: "15m",
      severity: "critical",
      summary: "The catalogue of {{ $labels.instance }} cannot be read",
      description: "The registry is down, or refuses the probe's account.",
    },
    ...identityAlerts(),
    ...certificateAlerts(),
  ];
}

/** Whether it is the registry that answers, and which clients it lets in. */
function identityAlerts(): Alert[] {
  return [
    {
      name: "RegistryAuthenticationNotRequired",
      expr: "regwarden_probe_authentication_required == 0",
      for: "5m",
      severity: "critical",
      summary: "{{ $labels.instance }} lets clients in without a password",
      description:
        "Every client that reaches the port can read every image, and perhaps write. Or another server answers.",
    },
    {
      name: "RegistrySentinelMissing",
      expr: "regwarden_probe_sentinel_present == 0",
      for: "15m",
      severity: "critical",
      summary: "{{ $labels.instance }} answers without its sentinel repository",
      description:
        "Another backend answers in the registry's place, for example an empty one behind an nginx that kept an old address; or the store was lost.",
    },
    {
      name: "RegistryProbeUnauthorised",
      expr: 'regwarden_probe_errors{kind="unauthorised"} > 0',
      for: "30m",
      severity: "warning",
      summary: "{{ $labels.instance }} refuses the probe's account",
      description: "The password was changed on one side only, or the account may not read everything.",
    },
    {
      name: "RegistryAnswersUnexpected",
      expr: 'regwarden_probe_errors{kind="unexpected"} > 0',
      for: "30m",
      severity: "warning",
      summary: "The probe cannot trust or understand what answers as {{ $labels.instance }}",
      description:
        "Its certificate does not come from the authority that the probe was given, or what answers is no registry.",
    },
  ];
}

function certificateAlerts(): Alert[] {
  const left = "regwarden_probe_certificate_expiry_timestamp_seconds - time()";
  const summary = "The TLS certificate of {{ $labels.instance }} expires in {{ $value | humanizeDuration }}";
  const description = "After that no client pulls or pushes.";
  return [
    {
      name: "RegistryCertificateExpiresSoon",
      expr: `${left} < ${days(14)}`,
      for: "1h",
      severity: "warning",
      summary,
      description: `${description} The renewal should have come by now.`,
    },
    {
      name: "RegistryCertificateExpires",
      expr: `${left} < ${days(3)}`,
      for: "15m",
      severity: "critical",
      summary,
      description,
    },
  ];
}

/** Whether the probe runs and checks everything: without these a probe that never runs is a registry without faults. */
function probeRunAlerts({ instance }: AlertScope): Alert[] {
  const lastRun = "registry_manifest_integrity_last_run_timestamp";
  return [
    {
      name: "RegistryIntegrityProbeStale",
      expr: `time() - ${lastRun} > 3600`,
      for: "15m",
      severity: "warning",
      summary: "The integrity probe of {{ $labels.instance }} has been silent for more than an hour",
      description: "Its CronJob does not start, does not end, or cannot reach the Pushgateway.",
    },
    {
      name: "RegistryIntegrityProbeAbsent",
      expr: `absent(${lastRun}{instance="${instance}"})`,
      for: "30m",
      severity: "warning",
      summary: "No integrity probe has ever reported for {{ $labels.instance }}",
      description: "The probe never ran, or the Pushgateway lost its metrics or is not scraped.",
    },
    {
      name: "RegistryIntegrityProbeIncomplete",
      expr: "regwarden_probe_complete == 0",
      for: "45m",
      severity: "warning",
      summary: "The integrity probe of {{ $labels.instance }} could not check everything",
      description: "What it did not check may be broken: its count of failures is no proof.",
    },
    {
      name: "RegistryIntegrityProbeBlind",
      expr: `absent_over_time(regwarden_probe_success_timestamp_seconds{instance="${instance}"}[6h])`,
      for: "15m",
      severity: "critical",
      summary: "No probe has checked all of {{ $labels.instance }} for 6 hours",
      description: "No run of the integrity probe was complete in that time.",
    },
  ];
}

export function probeAlerts(scope: AlertScope): Alert[] {
  return [...findingAlerts(), ...probeRunAlerts(scope)];
}
