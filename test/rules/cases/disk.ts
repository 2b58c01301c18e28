import { type AlertCase, always, fresh } from "./case.ts";

const labels = { instance: "10.0.20.10:5001", job: "disk" };
const own = (metric: string) => `${metric}{instance="10.0.20.10:5001",job="disk"}`;
const free = own("regwarden_disk_free_bytes");
const size = own("regwarden_disk_size_bytes");
const lastRun = own("regwarden_disk_last_run_timestamp_seconds");

export const diskCases: readonly AlertCase[] = [
  {
    title: "less than 15 percent are free",
    alert: "RegistryDiskLow",
    input: { [free]: always(149), [size]: always(1000) },
    holdsFromMinute: 0,
    labels,
    value: "14.9",
    quiet: { [free]: always(150), [size]: always(1000) },
  },
  {
    title: "less than 5 percent are free",
    alert: "RegistryDiskCritical",
    input: { [free]: always(49), [size]: always(1000) },
    holdsFromMinute: 0,
    labels,
    value: "4.9",
    quiet: { [free]: always(50), [size]: always(1000) },
  },
  {
    title: "a disk that fills up within the hour is critical five minutes after it was measured so",
    alert: "RegistryDiskCritical",
    input: { [free]: "900x9 49x3000", [size]: always(1000) },
    holdsFromMinute: 10,
    labels,
    value: "4.9",
    quiet: { [free]: "900x9 49x4 900x3000", [size]: always(1000) },
  },
  {
    title: "the free space was not measured for 20 minutes",
    alert: "RegistryDiskStale",
    input: { [lastRun]: always(0) },
    holdsFromMinute: 21,
    labels,
    quiet: { [lastRun]: fresh },
  },
  {
    title: "the free space was never measured",
    alert: "RegistryDiskAbsent",
    input: {},
    holdsFromMinute: 0,
    labels: {},
    quiet: { [lastRun]: always(0) },
  },
];
