import type { DeploymentCheckConfig } from "../../../contract/deployment-check.ts";
import { scanFiles } from "../../../contract/host-paths.ts";
import { sentinelReference } from "../../../contract/registries.ts";
import { localAddress, type RegistrySettings } from "../settings.ts";
import { JOBS_MOUNT, REPORT_MOUNT } from "./sandbox.ts";

/** How old the scan report may be: a day, and the time that a scan and its timer may take. */
export const MAXIMUM_REPORT_AGE_SECONDS = 26 * 3600;

/** What `regwarden check-deployment` and `regwarden seed-sentinel` read. The password comes on standard input. */
export function checkConfig(settings: RegistrySettings, user: string): string {
  const { hostname, private: own, ui, caches } = settings;
  const config: DeploymentCheckConfig = {
    private: {
      url: `https://${hostname}:${own.port}`,
      user,
      sentinel: sentinelReference,
    },
    caches: caches.map(({ name, port, allowFrom }) => ({
      name,
      url: `http://${localAddress(settings)}:${port}`,
      ...(allowFrom === undefined ? {} : { isRestricted: true }),
    })),
    scanReport: {
      path: `${REPORT_MOUNT}/${scanFiles.report}`,
      maximumAgeSeconds: MAXIMUM_REPORT_AGE_SECONDS,
    },
    jobs: JOBS_MOUNT,
    ...(ui.enabled ? { ui: { url: `https://${hostname}:${ui.port}` } } : {}),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
