import { type AlertCase, always, fresh } from "./case.ts";

const own = (metric: string, more = "") => `${metric}{instance="10.0.20.10:5001",job="maintenance"${more}}`;
const disk = (metric: string) => `${metric}{instance="10.0.20.10:5001",job="disk"}`;
const labels = { instance: "10.0.20.10:5001", job: "maintenance" };
const onDisk = { instance: "10.0.20.10:5001", job: "disk" };
const days = (count: number) => count * 86_400;

const lost = own("regwarden_collect_proof_lost_tags");
const refused = own("regwarden_collect_refused", ',registry="private",reason="budget"');
const undecided = own("regwarden_retain_refused", ',registry="private",reason="in-use"');
/** In the weeks after the deployment, until the log is old enough. */
const waiting = own("regwarden_retain_refused", ',registry="private",reason="history"');
const freeze = own("regwarden_collect_freeze_seconds");
const freezeOfRetention = own("regwarden_retain_freeze_seconds");
const restored = own("regwarden_collect_restored_total");
const retention = own("regwarden_retain_success_timestamp_seconds");
const mark = own("regwarden_collect_mark_timestamp_seconds");
const collection = own("regwarden_collect_success_timestamp_seconds");
const lastRun = own("regwarden_collect_last_run_timestamp_seconds");
const quarantined = own("regwarden_collect_bytes", ',registry="private",state="quarantined"');
const needed = own("regwarden_collect_bytes", ',registry="private",state="needed"');
const applied = own("regwarden_collect_applied");
const free = disk("regwarden_disk_free_bytes");
const size = disk("regwarden_disk_size_bytes");

/** A disk that is full in less than two days, and one that is in five. */
const filling = "3000000-1200x3000";
const slowly = "8000000-1000x3000";

export const maintenanceCases: readonly AlertCase[] = [
  {
    title: "a tag is not complete after a collection",
    alert: "RegistryCollectionProofFailed",
    input: { [lost]: always(2) },
    holdsFromMinute: 0,
    labels,
    value: "2",
    quiet: { [lost]: always(0) },
  },
  {
    title: "a collection would have removed more than it may",
    alert: "RegistryCollectionRefused",
    input: { [refused]: always(1) },
    holdsFromMinute: 0,
    labels: { ...labels, registry: "private", reason: "budget" },
    quiet: {},
  },
  {
    title: "the list of the images in use is too old for retention",
    alert: "RegistryRetentionRefused",
    input: { [undecided]: always(3) },
    holdsFromMinute: 0,
    labels: { ...labels, registry: "private", reason: "in-use" },
    value: "3",
    quiet: { [undecided]: always(0), [waiting]: always(4) },
  },
  {
    title: "writes were held for longer than the budget",
    alert: "RegistryFreezeTooLong",
    input: { [freeze]: always(5.2) },
    holdsFromMinute: 0,
    labels,
    value: "5.2",
    quiet: { [freeze]: always(5), [freezeOfRetention]: always(5) },
  },
  {
    title: "retention held writes for longer than the budget",
    alert: "RegistryFreezeTooLong",
    input: { [freeze]: always(1), [freezeOfRetention]: always(5.5) },
    holdsFromMinute: 0,
    labels,
    value: "5.5",
    quiet: {},
  },
  {
    title: "both held writes for longer than the budget: one alert",
    alert: "RegistryFreezeTooLong",
    input: { [freeze]: always(5.2), [freezeOfRetention]: always(5.5) },
    holdsFromMinute: 0,
    labels,
    value: "5.2",
    quiet: {},
  },
  {
    title: "a client missed what is in the quarantine",
    alert: "RegistryRestored",
    input: { [restored]: "0x9 4x40" },
    holdsFromMinute: 10,
    labels,
    quiet: { [restored]: always(4) },
  },
  {
    title: "no retention was complete for 3 days",
    alert: "RegistryRetentionStale",
    input: { [retention]: always(-days(3)) },
    holdsFromMinute: 1,
    labels,
    quiet: { [retention]: fresh },
  },
  {
    title: "no mark was complete for 3 days",
    alert: "RegistryMarkStale",
    input: { [mark]: always(-days(3)) },
    holdsFromMinute: 1,
    labels,
    quiet: { [mark]: fresh },
  },
  {
    title: "no collection was complete for 15 days",
    alert: "RegistryCollectionStale",
    input: { [collection]: always(-days(15)) },
    holdsFromMinute: 1,
    labels,
    quiet: { [collection]: always(-days(8)) },
  },
  {
    title: "no mark and no collection ever reported",
    alert: "RegistryMaintenanceAbsent",
    input: {},
    holdsFromMinute: 0,
    labels: {},
    quiet: { [lastRun]: always(0) },
  },
  {
    title: "the quarantine takes more than a quarter of the disk",
    alert: "RegistryQuarantineGrowing",
    input: { [quarantined]: always(260), [needed]: always(700), [size]: always(1000) },
    holdsFromMinute: 0,
    labels: { instance: "10.0.20.10:5001" },
    value: "26",
    quiet: { [quarantined]: always(240), [needed]: always(700), [size]: always(1000) },
  },
  {
    title: "the disk fills within days",
    alert: "RegistryDiskFullSoon",
    input: { [free]: filling },
    holdsFromMinute: 1,
    labels: onDisk,
    quiet: { [free]: slowly },
  },
  {
    title: "the disk fills, and collections only plan",
    alert: "RegistryCollectionOff",
    input: { [free]: filling, [applied]: always(0) },
    holdsFromMinute: 1,
    labels: onDisk,
    quiet: { [free]: filling, [applied]: "1x5 0x3000" },
  },
];
