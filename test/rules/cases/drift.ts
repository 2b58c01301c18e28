import { type AlertCase, always, fresh } from "./case.ts";

const labels = { stack: "prod" };
const state = 'drift_stack_state{stack="prod"}';
const firstSeen = 'drift_stack_first_seen{stack="prod"}';
const lastRun = 'drift_stack_last_run_timestamp{stack="prod"}';

export const driftCases: readonly AlertCase[] = [
  {
    title: "the stack differs",
    alert: "DriftFound",
    input: { [state]: always(1) },
    holdsFromMinute: 0,
    labels,
    quiet: { [state]: always(2) },
  },
  {
    title: "the drift run failed",
    alert: "DriftNotChecked",
    input: { [state]: always(2) },
    holdsFromMinute: 0,
    labels,
    quiet: { [state]: always(1) },
  },
  {
    title: "drift stands for more than 72 hours, also when the drift runs have stopped",
    alert: "DriftUnaddressed",
    input: { [firstSeen]: "60+0x6000" },
    holdsFromMinute: 72 * 60 + 2,
    labels,
    value: "3d 1h 1m 0s",
    quiet: { [firstSeen]: "0+0x6000" },
  },
  {
    title: "a job that removes what tags need is scheduled; other things beside what is declared are none",
    alert: "HarmfulJobScheduled",
    input: { 'drift_unmanaged_count{stack="prod",kind="job"}': always(1) },
    holdsFromMinute: 0,
    labels: { ...labels, kind: "job" },
    quiet: {
      'drift_unmanaged_count{stack="prod",kind="job"}': always(0),
      'drift_unmanaged_count{stack="prod",kind="port"}': always(3),
    },
  },
  {
    title: "what is there beside what is declared could not be checked",
    alert: "UnmanagedNotChecked",
    input: { 'drift_unmanaged_unchecked{stack="prod"}': always(1) },
    holdsFromMinute: 0,
    labels,
    quiet: { 'drift_unmanaged_unchecked{stack="prod"}': always(0) },
  },
  {
    title: "the last drift run is more than 26 hours old",
    alert: "DriftDetectionStale",
    input: { [lastRun]: always(0) },
    holdsFromMinute: 26 * 60 + 1,
    labels,
    quiet: { [lastRun]: fresh },
  },
  {
    title: "no drift run ever reported",
    alert: "DriftDetectionAbsent",
    input: { 'drift_stack_last_run_timestamp{stack="another"}': fresh },
    holdsFromMinute: 0,
    labels,
    quiet: { [lastRun]: always(0) },
  },
];
