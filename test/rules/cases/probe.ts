import { type AlertCase, always, fresh } from "./case.ts";

const labels = { instance: "registry.example.com:5050" };
const own = (metric: string, more = "") => `${metric}{instance="registry.example.com:5050"${more}}`;
const failures = own("registry_manifest_integrity_failures");
const catalogue = own("registry_manifest_integrity_catalog_accessible");
const lastRun = own("registry_manifest_integrity_last_run_timestamp");
const success = own("regwarden_probe_success_timestamp_seconds");
const complete = own("regwarden_probe_complete");
const authentication = own("regwarden_probe_authentication_required");
const sentinel = own("regwarden_probe_sentinel_present");
const unauthorised = own("regwarden_probe_errors", ',kind="unauthorised"');
const unexpected = own("regwarden_probe_errors", ',kind="unexpected"');
const unavailable = own("regwarden_probe_errors", ',kind="unavailable"');
const expiry = own("regwarden_probe_certificate_expiry_timestamp_seconds");

/** A gauge that is right, then wrong. */
const flag = (alert: string, series: string, title: string): AlertCase => ({
  title,
  alert,
  input: { [series]: "1+0x9 0+0x3000" },
  holdsFromMinute: 10,
  labels,
  quiet: { [series]: always(1) },
});

const days = (count: number) => count * 24 * 3600;

export const probeCases: readonly AlertCase[] = [
  {
    title: "references are broken",
    alert: "RegistryManifestIntegrityFailure",
    input: { [failures]: "0+0x4 3+0x3000" },
    holdsFromMinute: 5,
    labels,
    value: "3",
    quiet: { [failures]: always(0) },
  },
  flag("RegistryCatalogInaccessible", catalogue, "the catalogue cannot be read"),
  flag("RegistryAuthenticationNotRequired", authentication, "no client is asked for a password"),
  flag("RegistrySentinelMissing", sentinel, "another backend answers"),
  flag("RegistryIntegrityProbeIncomplete", complete, "the probe cannot check everything"),
  {
    title: "the account is refused",
    alert: "RegistryProbeUnauthorised",
    input: { [unauthorised]: always(1) },
    holdsFromMinute: 0,
    labels: { ...labels, kind: "unauthorised" },
    quiet: { [unauthorised]: always(0), [unavailable]: always(4) },
  },
  {
    title: "the certificate is not trusted",
    alert: "RegistryAnswersUnexpected",
    input: { [unexpected]: always(2) },
    holdsFromMinute: 0,
    labels: { ...labels, kind: "unexpected" },
    quiet: { [unexpected]: always(0), [unavailable]: always(4) },
  },
  {
    title: "the certificate has less than 14 days",
    alert: "RegistryCertificateExpiresSoon",
    input: { [expiry]: always(days(14) + 300) },
    holdsFromMinute: 6,
    labels,
    // At the edge, an hour and a minute after it had two weeks.
    value: "13d 22h 59m 0s",
    quiet: { [expiry]: always(days(30)) },
  },
  {
    title: "the certificate has less than 3 days",
    alert: "RegistryCertificateExpires",
    input: { [expiry]: always(days(3) + 300) },
    holdsFromMinute: 6,
    labels,
    value: "2d 23h 44m 0s",
    quiet: { [expiry]: always(days(10)) },
  },
  {
    title: "the last push is more than an hour old",
    alert: "RegistryIntegrityProbeStale",
    input: { [lastRun]: always(0) },
    holdsFromMinute: 61,
    labels,
    quiet: { [lastRun]: fresh },
  },
  {
    title: "the probe never ran",
    alert: "RegistryIntegrityProbeAbsent",
    input: {},
    holdsFromMinute: 0,
    labels,
    quiet: { [lastRun]: always(0) },
  },
  {
    title: "another registry's probe is no substitute",
    alert: "RegistryIntegrityProbeAbsent",
    input: { 'registry_manifest_integrity_last_run_timestamp{instance="other:5050"}': fresh },
    holdsFromMinute: 0,
    labels,
    quiet: { [lastRun]: fresh },
  },
  {
    title: "runs come, and none is complete",
    alert: "RegistryIntegrityProbeBlind",
    input: { [lastRun]: fresh },
    holdsFromMinute: 0,
    labels,
    quiet: { [success]: fresh },
  },
];
