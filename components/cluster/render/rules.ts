import type { AlertSettings } from "../settings.ts";
import type { Alert, AlertScope } from "./alerts/alert.ts";
import { backupAlerts } from "./alerts/backup.ts";
import { breakGlassAlerts } from "./alerts/break-glass.ts";
import { diskAlerts } from "./alerts/disk.ts";
import { driftAlerts } from "./alerts/drift.ts";
import { driveSyncAlerts } from "./alerts/drive-sync.ts";
import { inUseAlerts } from "./alerts/in-use.ts";
import { maintenanceAlerts } from "./alerts/maintenance.ts";
import { probeAlerts } from "./alerts/probe.ts";
import { registryAlerts } from "./alerts/registry.ts";
import { scanAlerts } from "./alerts/scan.ts";

/** By rule group. A new subject gets a file in alerts/ and a line here; the tests then ask for runbook and cases. */
const SUBJECTS: Readonly<Record<string, (scope: AlertScope) => Alert[]>> = {
  "registry-availability": registryAlerts,
  "registry-integrity": probeAlerts,
  "registry-in-use": inUseAlerts,
  "registry-store": scanAlerts,
  "registry-disk": diskAlerts,
  "registry-maintenance": maintenanceAlerts,
  "registry-backup": backupAlerts,
  "registry-break-glass": breakGlassAlerts,
  "registry-drift": driftAlerts,
  "registry-drive-sync": driveSyncAlerts,
};

/** A rule as Prometheus reads it. */
export interface Rule {
  alert: string;
  expr: string;
  for: string;
  labels: Record<string, string>;
  annotations: { summary: string; description: string; runbook_url: string };
}

export interface RuleGroup {
  name: string;
  rules: Rule[];
}

/** All alerts of a stack. */
export function allAlerts(scope: AlertScope): Alert[] {
  return Object.values(SUBJECTS).flatMap((alerts) => alerts(scope));
}

/** The content of a rule file, and of a PrometheusRule's spec. Groups without a rule are left out. */
export function ruleGroups(
  scope: AlertScope,
  { runbookBaseUrl }: Pick<AlertSettings, "runbookBaseUrl">,
): { groups: RuleGroup[] } {
  const groups = Object.entries(SUBJECTS).map(([name, alerts]) => ({
    name,
    rules: alerts(scope).map((alert) => rule(alert, runbookBaseUrl)),
  }));
  return { groups: groups.filter(({ rules }) => rules.length > 0) };
}

function rule({ name, expr, severity, summary, description, ...alert }: Alert, runbookBaseUrl: string): Rule {
  const runbook_url = `${runbookBaseUrl}#${name.toLowerCase()}`;
  return {
    alert: name,
    expr,
    for: alert.for,
    labels: { severity },
    annotations: { summary, description, runbook_url },
  };
}
