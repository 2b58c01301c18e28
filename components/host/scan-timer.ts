import * as pulumi from "@pulumi/pulumi";
import { units } from "../../contract/host-names.ts";
import { backupDirectory } from "../../contract/host-paths.ts";
import { SystemdUnit } from "../../provider/resources.ts";
import { scanTimer, scanUnit } from "./render/units.ts";
import type { RegistrySettings } from "./settings.ts";

/** Arguments of {@link ScanTimer}. */
export interface ScanTimerArgs {
  readonly settings: RegistrySettings;
}

/** The daily scan of the store: its service, and the timer that starts it. */
export class ScanTimer extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];
  /** When the scan's service was last changed. */
  public readonly service: pulumi.Output<string>;

  constructor(name: string, { settings }: ScanTimerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:ScanTimer", name, {}, opts);
    const backups = { backupDirectory };
    const service = new SystemdUnit(
      `${name}-service`,
      // Whether it is active is the timer's business; failed after findings is what it should be.
      { name: units.scan, content: scanUnit(settings), ...backups },
      { parent: this },
    );
    const timer = new SystemdUnit(
      `${name}-timer`,
      {
        name: units.scanTimer,
        content: scanTimer(settings),
        enabled: true,
        active: true,
        restartOnChange: true,
        ...backups,
      },
      // A timer whose service is not there yet cannot be started.
      { parent: this, dependsOn: [service] },
    );
    this.service = service.changedAt;
    this.changes = [service.changedAt, timer.changedAt];
    this.registerOutputs({});
  }
}
