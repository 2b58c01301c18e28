import { freezeHandler } from "./write-freeze.ts";

/** Paths on the VM. */

/** Where a stack lies unless its configuration says otherwise. */
export const defaultDirectory = "/opt/registry";

/** Copies of what this program replaces or removes on the host. */
export const backupDirectory = "/var/backups/regwarden";

/**
 * One file for each data directory that was ever made or adopted here, named after what it holds: the path, then the
 * id that its marker has. On the host's own disk, so that it is there when a data disk is not.
 */
export const dataRecordDirectory = "/etc/regwarden/data";

/** In a data directory: its id. An empty one is the operator's word that this directory is to be served as it is. */
export const dataMarker = ".regwarden-data";

/** Where a registry has its data in its container. */
export const storeMount = "/var/lib/registry";

/** Where the programs keep their reports. */
export const reportDirectory = "/var/lib/regwarden";

/** What the scan writes, in {@link reportDirectory}. */
export const scanFiles = { report: "scan.json", metrics: "scan.prom" } as const;

/** Metrics of the disk, in {@link reportDirectory}. */
export const diskFile = "disk.prom";

/** Metrics of the copies of the store, in {@link reportDirectory}. */
export const backupFile = "backup.prom";

/** Metrics of the copies of single images, in {@link reportDirectory}. */
export const breakGlassFile = "break-glass.prom";

/** Where the copies of single images are, unless the configuration says otherwise. */
export const defaultBreakGlassDirectory = `${backupDirectory}/break-glass`;

/** What the copying of the store keeps for itself: its key, and which copy was the last. */
export const backupStateDirectory = "/var/lib/regwarden-backup";

/** In a copy of the store: written when the copy is complete. */
export const backupCompleteFile = "complete";

/** Metrics of the maintenance, in {@link reportDirectory}. */
export const maintenanceFiles = {
  retain: "retain.prom",
  collect: "collect.prom",
  purge: "purge.prom",
  restore: "restore.prom",
} as const;

/** In a directory that holds stores: what the programs keep for themselves. */
export const ownDirectory = ".regwarden";

/** Names the directories that systemd makes at each boot. */
export const bootDirectoriesFile = "/etc/tmpfiles.d/regwarden.conf";

/** The programs, as a person calls them. */
export const launcherPath = "/usr/local/bin/regwarden";

/** The bundled programs' file name, wherever they lie. */
export const bundleFile = "regwarden.mjs";

/** The bundled programs in the project, relative to its root: what `npm run build` writes. */
export const builtBundle = `dist/${bundleFile}`;
/** Those of them that run in the cluster: a ConfigMap has room for no more, and each run of Pulumi carries it. */
export const builtClusterBundle = "dist/regwarden-cluster.mjs";

/** The paths below a stack's directory. */
export interface HostPaths {
  readonly root: string;
  readonly composeFile: string;
  /** Holds what nginx reads alone: a mounted directory shows a file that was renamed into it, a mounted file does not. */
  readonly nginx: string;
  readonly nginxConfig: string;
  /** What nginx runs to hold writes. */
  readonly freezeHandler: string;
  /** Holds {@link htpasswd} alone, for the same reason. */
  readonly auth: string;
  readonly htpasswd: string;
  readonly tls: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly authority: string;
  readonly data: string;
  readonly programs: string;
  readonly bundle: string;
  readonly checkConfig: string;
  /** Which tags stay. */
  readonly retentionRules: string;
  /** Copies the private registry's store to another machine. */
  readonly backUpStore: string;
  /** The host key of that machine. */
  readonly backupKnownHosts: string;
  /** Begins a new file of nginx's log. */
  readonly rotateAccessLog: string;
  /** Takes a certificate that is renewed on the host itself. */
  readonly takeCertificate: string;
  readonly registryConfig: (registry: string) => string;
  readonly registryData: (registry: string) => string;
}

/** Every path below the stack's directory. */
export function hostPaths(root: string): HostPaths {
  return {
    root,
    composeFile: `${root}/docker-compose.yml`,
    nginx: `${root}/nginx`,
    nginxConfig: `${root}/nginx/nginx.conf`,
    freezeHandler: `${root}/nginx/${freezeHandler}`,
    auth: `${root}/auth`,
    htpasswd: `${root}/auth/htpasswd`,
    tls: `${root}/tls`,
    certificate: `${root}/tls/fullchain.pem`,
    privateKey: `${root}/tls/privkey.pem`,
    authority: `${root}/tls/authority.pem`,
    data: `${root}/data`,
    programs: `${root}/programs`,
    bundle: `${root}/programs/${bundleFile}`,
    checkConfig: `${root}/programs/check-deployment.json`,
    retentionRules: `${root}/programs/retention.json`,
    backUpStore: `${root}/programs/back-up-store`,
    backupKnownHosts: `${root}/programs/backup-known-hosts`,
    rotateAccessLog: `${root}/programs/rotate-access-log`,
    takeCertificate: `${root}/programs/take-certificate`,
    registryConfig: (registry) => `${root}/config-${registry}.yml`,
    registryData: (registry) => `${root}/data/${registry}`,
  };
}
