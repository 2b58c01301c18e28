import type { DeploymentCheckConfig } from "../../../contract/deployment-check.ts";
import { scanFiles } from "../../../contract/host-paths.ts";
import { sentinelReference } from "../../../contract/registries.ts";
import { localAddress, type RegistrySettings } from "../settings.ts";
import { REPORT_MOUNT } from "./sandbox.ts";

/** How old the scan report may be: the check starts a scan itself, so anything older is from before. */
const MAXIMUM_REPORT_AGE_SECONDS = 600;

/** What `regwarden check-deployment` and `regwarden seed-sentinel` read. The password comes on standard input. */
export function checkConfig(settings: RegistrySettings, user: string): string {
  const { hostname, private: own, ui, caches } = settings;
  const config: DeploymentCheckConfig = {
    private: {
      url: `https://${hostname}:${own.port}`,
      user,
      sentinel: sentinelReference,
    },
    caches: caches.map(({ name, port }) => ({ name, url: `http://${localAddress(settings)}:${port}` })),
    scanReport: {
      path: `${REPORT_MOUNT}/${scanFiles.report}`,
      maximumAgeSeconds: MAXIMUM_REPORT_AGE_SECONDS,
    },
    ...(ui.enabled ? { ui: { url: `https://${hostname}:${ui.port}` } } : {}),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
