import { type AlertCase, always, fresh } from "./case.ts";

const labels = { instance: "registry.example.com:5050" };
const own = (metric: string) => `${metric}{instance="registry.example.com:5050"}`;
const lastRun = own("regwarden_in_use_last_run_timestamp_seconds");
const success = own("regwarden_in_use_success_timestamp_seconds");
const complete = own("regwarden_in_use_complete");
const need = {
  ...labels,
  namespace: "shop",
  workload_type: "Deployment",
  workload: "web",
  image: "registry.example.com:5050/shop/web:1",
  reason: "broken",
};
const broken = `regwarden_in_use_broken{${Object.entries(need)
  .map(([name, value]) => `${name}="${value}"`)
  .join(",")}}`;

export const inUseCases: readonly AlertCase[] = [
  {
    title: "a workload's image is broken",
    alert: "RegistryImageInUseBroken",
    // The series comes with the fault, and goes with it.
    input: { [broken]: "_x5 1+0x3000" },
    holdsFromMinute: 5,
    labels: need,
    quiet: { [complete]: always(1), [lastRun]: fresh },
  },
  {
    title: "not everything could be checked",
    alert: "RegistryInUseIncomplete",
    input: { [complete]: "1+0x9 0+0x3000" },
    holdsFromMinute: 10,
    labels,
    quiet: { [complete]: always(1) },
  },
  {
    title: "the last push is more than an hour old",
    alert: "RegistryInUseStale",
    input: { [lastRun]: always(0) },
    holdsFromMinute: 61,
    labels,
    quiet: { [lastRun]: fresh },
  },
  {
    title: "it never ran",
    alert: "RegistryInUseAbsent",
    input: {},
    holdsFromMinute: 0,
    labels,
    quiet: { [lastRun]: always(0) },
  },
  {
    title: "runs come, and none is complete",
    alert: "RegistryInUseBlind",
    input: { [lastRun]: fresh },
    holdsFromMinute: 0,
    labels,
    quiet: { [success]: fresh },
  },
];
