import * as pulumi from "@pulumi/pulumi";
import { units } from "../../contract/host-names.ts";
import { diskTimer, diskUnit } from "./render/disk-units.ts";
import type { RegistrySettings } from "./settings.ts";
import { timedService } from "./timed-service.ts";

/** Arguments of {@link DiskTimer}. */
export interface DiskTimerArgs {
  readonly settings: RegistrySettings;
}

/** How much of the store's disk is free, measured every few minutes: its service, and the timer that starts it. */
export class DiskTimer extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];

  constructor(name: string, { settings }: DiskTimerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:DiskTimer", name, {}, opts);
    const { service, timer } = timedService(
      name,
      {
        service: { name: units.disk, content: diskUnit(settings) },
        timer: { name: units.diskTimer, content: diskTimer() },
      },
      this,
    );
    this.changes = [service.changedAt, timer.changedAt];
    this.registerOutputs({});
  }
}
