import { type AlertCase, always, fresh } from "./case.ts";

const labels = { instance: "10.0.20.10:5001", job: "backup" };
const success = 'regwarden_backup_success_timestamp_seconds{instance="10.0.20.10:5001",job="backup"}';

export const backupCases: readonly AlertCase[] = [
  {
    title: "the last complete copy of the store is older than two days",
    alert: "RegistryBackupStale",
    input: { [success]: always(0) },
    holdsFromMinute: 2 * 24 * 60 + 1,
    labels,
    quiet: { [success]: fresh },
  },
  {
    title: "no copy of the store was ever complete",
    alert: "RegistryBackupAbsent",
    input: {},
    holdsFromMinute: 0,
    labels: {},
    quiet: { [success]: always(0) },
  },
];
