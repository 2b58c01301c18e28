import * as pulumi from "@pulumi/pulumi";
import { builtBundle } from "../../contract/host-paths.ts";
import { AccessLog } from "./access-log.ts";
import { Backup } from "./backup.ts";
import { BreakGlass } from "./break-glass.ts";
import { DeploymentCheck } from "./deployment-check.ts";
import { DiskTimer } from "./disk-timer.ts";
import { FormerState, type FormerVm } from "./former-state.ts";
import { HostDirectories } from "./host-directories.ts";
import { HostImages } from "./host-images.ts";
import { HostPrograms } from "./host-programs.ts";
import { Maintenance } from "./maintenance.ts";
import { RegistryFiles } from "./registry-files.ts";
import type { RegistrySecrets } from "./registry-secrets.ts";
import { RegistryServices } from "./registry-services.ts";
import { ScanTimer } from "./scan-timer.ts";
import type { RegistrySettings } from "./settings.ts";

/** Arguments of {@link RegistryHost}. */
export interface RegistryHostArgs {
  readonly settings: RegistrySettings;
  readonly secrets: RegistrySecrets;
  /** What the host had before the stack; undefined where it was made for it, or was taken over long ago. */
  readonly former?: FormerVm | undefined;
  /** The bundled programs, relative to the project's root. @default dist/regwarden.mjs */
  readonly bundle?: string;
}

/** A VM that serves a private registry and its caches: files, containers, units, and the proof that they work. */
export class RegistryHost extends pulumi.ComponentResource {
  /** Base URL of the private registry. */
  public readonly registryUrl: string;
  /** URL of the UI; undefined when there is none. */
  public readonly uiUrl: string | undefined;

  constructor(name: string, args: RegistryHostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:RegistryHost", name, {}, opts);
    const { settings, secrets, former, bundle = builtBundle } = args;
    const after = (...dependsOn: pulumi.Resource[]) => ({ parent: this, dependsOn });

    const kept = former && new FormerState(`${name}-former`, { settings, former }, { parent: this });
    // What was there before can be kept before the first change only.
    const directories = new HostDirectories(
      `${name}-directories`,
      { settings },
      after(...(kept === undefined ? [] : [kept])),
    );
    const images = new HostImages(`${name}-images`, { settings }, after(directories));
    // Each file is written into a directory that must have its owner and mode before.
    // nginx.conf is validated in the image of nginx.
    const files = new RegistryFiles(`${name}-files`, { settings, secrets }, after(directories, images));
    const user = secrets.registryUser;
    const programs = new HostPrograms(`${name}-programs`, { settings, user, bundle }, after(directories));
    // A container that starts before its files are there serves with the old ones.
    const services = new RegistryServices(
      `${name}-services`,
      {
        ...{ settings, former: former !== undefined },
        ...{ services: files.services, mounted: files.mounted, reloaded: files.reloaded },
      },
      after(files),
    );
    // The scan runs the programs in their image, and its unit needs Docker and the report directory.
    const scan = new ScanTimer(`${name}-scan`, { settings }, after(directories, images, programs));
    const disk = new DiskTimer(`${name}-disk`, { settings }, after(directories));
    const accessLog = new AccessLog(`${name}-access-log`, { settings }, after(directories, programs));
    const maintenance = new Maintenance(
      `${name}-maintenance`,
      { settings },
      after(directories, images, programs),
    );
    const backup = settings.backup
      ? [new Backup(`${name}-backup`, { settings, backup: settings.backup }, after(directories))]
      : [];
    const copied = settings.breakGlass;
    const breakGlass = copied
      ? [
          new BreakGlass(
            `${name}-break-glass`,
            { settings, breakGlass: copied },
            after(directories, images, programs),
          ),
        ]
      : [];
    const changed = [
      directories,
      images,
      files,
      programs,
      services,
      ...[scan, disk, accessLog, maintenance, ...backup, ...breakGlass],
    ];
    new DeploymentCheck(
      `${name}-check`,
      {
        settings,
        password: secrets.registryPassword,
        caFile: files.caFile,
        dataId: directories.dataId,
        formerJobs: former?.jobs ?? [],
        programs: [programs.bundle, scan.service],
        changes: changed.flatMap(({ changes }) => changes),
      },
      // What is checked must be what stays.
      after(...changed),
    );
    this.registryUrl = `https://${settings.hostname}:${settings.private.port}`;
    this.uiUrl = settings.ui.enabled ? `https://${settings.hostname}:${settings.ui.port}` : undefined;
    this.registerOutputs({ registryUrl: this.registryUrl, uiUrl: this.uiUrl });
  }
}
