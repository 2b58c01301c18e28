import * as pulumi from "@pulumi/pulumi";
import { units } from "../../contract/host-names.ts";
import { backupDirectory } from "../../contract/host-paths.ts";
import { SystemdUnit } from "../../provider/resources.ts";
import { diskTimer, diskUnit } from "./render/disk-units.ts";
import type { RegistrySettings } from "./settings.ts";

/** Arguments of {@link DiskTimer}. */
export interface DiskTimerArgs {
  readonly settings: RegistrySettings;
}

/** How much of the store's disk is free, measured every few minutes: its service, and the timer that starts it. */
export class DiskTimer extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];

  constructor(name: string, { settings }: DiskTimerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:DiskTimer", name, {}, opts);
    const backups = { backupDirectory };
    const service = new SystemdUnit(
      `${name}-service`,
      { name: units.disk, content: diskUnit(settings), ...backups },
      { parent: this },
    );
    const timer = new SystemdUnit(
      `${name}-timer`,
      {
        name: units.diskTimer,
        content: diskTimer(),
        enabled: true,
        active: true,
        restartOnChange: true,
        ...backups,
      },
      // A timer whose service is not there yet cannot be started.
      { parent: this, dependsOn: [service] },
    );
    this.changes = [service.changedAt, timer.changedAt];
    this.registerOutputs({});
  }
}
