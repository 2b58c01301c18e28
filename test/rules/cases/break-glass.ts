import { type AlertCase, always, fresh } from "./case.ts";

const labels = { instance: "10.0.20.10:5001", job: "break-glass" };
const success =
  'regwarden_break_glass_success_timestamp_seconds{instance="10.0.20.10:5001",job="break-glass"}';

export const breakGlassCases: readonly AlertCase[] = [
  {
    title: "the break glass copies are older than two days",
    alert: "RegistryBreakGlassStale",
    input: { [success]: always(0) },
    holdsFromMinute: 2 * 24 * 60 + 1,
    labels,
    quiet: { [success]: fresh },
  },
  {
    title: "no run ever copied every break glass image",
    alert: "RegistryBreakGlassAbsent",
    input: {},
    holdsFromMinute: 0,
    labels: {},
    quiet: { [success]: always(0) },
  },
];
