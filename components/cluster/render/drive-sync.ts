import type { DriveSite } from "../settings.ts";
import { cronJobSpec } from "./cron-job.ts";
import { DRIVE_SYNC_PATHS, driveSyncScript } from "./drive-sync-script.ts";

export const RCLONE_KEY = "rclone.conf";

const CONFIG_DIRECTORY = "/config";

/** Names of a site's objects. */
export function driveSyncNames({ name }: DriveSite) {
  return { job: `${name}-gdrive-sync`, secret: `${name}-rclone` };
}

export function driveSyncLabels({ name }: DriveSite): Record<string, string> {
  return { run: name, component: "gdrive-sync" };
}

/** Names of the objects that a site's pods use. */
export interface DriveSyncMounts {
  readonly secret: string;
  readonly serviceAccount: string;
}

/** Spec of a site's CronJob. */
export function driveSyncCronJob(
  site: DriveSite,
  { image, pushgatewayUrl }: { readonly image: string; readonly pushgatewayUrl: string },
  { secret, serviceAccount }: DriveSyncMounts,
) {
  return cronJobSpec({
    name: "gdrive-sync",
    schedule: site.schedule,
    labels: driveSyncLabels(site),
    image,
    command: ["/bin/sh", "-c", driveSyncScript()],
    env: Object.entries(driveSyncVariables(site, pushgatewayUrl)).map(([name, value]) => ({ name, value })),
    volumes: [
      { name: "rclone", secret: { secretName: secret, defaultMode: 0o440 } },
      { name: "content", persistentVolumeClaim: { claimName: site.claim } },
      { name: "scratch", emptyDir: { medium: "", sizeLimit: "64Mi" } },
    ],
    mounts: [
      { name: "rclone", mountPath: CONFIG_DIRECTORY, readOnly: true },
      { name: "content", mountPath: DRIVE_SYNC_PATHS.TARGET },
      { name: "scratch", mountPath: DRIVE_SYNC_PATHS.SCRATCH },
    ],
    memoryLimit: site.memoryLimit,
    // Ends before the next run of the default schedule begins.
    activeDeadlineSeconds: 570,
    ttlSecondsAfterFinished: 86_400,
    serviceAccountName: serviceAccount,
    runAsUser: site.runAsUser,
  });
}

/** What the script reads from its environment. */
export function driveSyncVariables(site: DriveSite, pushgatewayUrl: string): Record<string, string> {
  const url = new URL(pushgatewayUrl);
  return {
    SITE: site.name,
    SOURCE: site.source,
    REQUIRED_FILE: site.requiredFile,
    PUSH_HOST: url.hostname,
    PUSH_PORT: url.port || "80",
    PUSH_PATH: url.pathname === "/" ? "" : url.pathname,
    HOME: DRIVE_SYNC_PATHS.SCRATCH,
    ...DRIVE_SYNC_PATHS,
  };
}

/** Spec of an ExternalSecret that fetches rclone's configuration. */
export function externalSecretSpec(source: NonNullable<DriveSite["externalSecret"]>, secret: string) {
  const { store, key, property } = source;
  return {
    refreshInterval: "1h",
    secretStoreRef: { kind: "ClusterSecretStore", name: store },
    target: { name: secret, creationPolicy: "Owner" },
    data: [{ secretKey: RCLONE_KEY, remoteRef: { key, property } }],
  };
}
