/** Copies of what this program replaces or removes on the host. */
export const BACKUP_DIRECTORY = "/var/backups/regwarden";

/** Where the programs keep their reports. */
export const REPORT_DIRECTORY = "/var/lib/regwarden";

/** The programs, as a person calls them. */
export const LAUNCHER = "/usr/local/bin/regwarden";

/** Account of the programs' containers: no user of the host has this number. */
export const PROGRAM_UID = "65532";

export interface HostPaths {
  readonly root: string;
  readonly composeFile: string;
  readonly nginxConfig: string;
  readonly htpasswd: string;
  readonly tls: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly authority: string;
  readonly data: string;
  readonly programs: string;
  readonly bundle: string;
  readonly checkConfig: string;
  readonly registryConfig: (registry: string) => string;
  readonly registryData: (registry: string) => string;
}

/** Every path below the stack's directory, in one place. */
export function hostPaths(root: string): HostPaths {
  return {
    root,
    composeFile: `${root}/docker-compose.yml`,
    nginxConfig: `${root}/nginx.conf`,
    htpasswd: `${root}/htpasswd`,
    tls: `${root}/tls`,
    certificate: `${root}/tls/fullchain.pem`,
    privateKey: `${root}/tls/privkey.pem`,
    authority: `${root}/tls/authority.pem`,
    data: `${root}/data`,
    programs: `${root}/programs`,
    bundle: `${root}/programs/regwarden.mjs`,
    checkConfig: `${root}/programs/check-deployment.json`,
    registryConfig: (registry) => `${root}/config-${registry}.yml`,
    registryData: (registry) => `${root}/data/${registry}`,
  };
}
