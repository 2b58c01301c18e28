import * as pulumi from "@pulumi/pulumi";
import { units } from "../../contract/host-names.ts";
import { scanTimer, scanUnit } from "./render/units.ts";
import type { RegistrySettings } from "./settings.ts";
import { timedService } from "./timed-service.ts";

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
    const { service, timer } = timedService(
      name,
      {
        service: { name: units.scan, content: scanUnit(settings) },
        timer: { name: units.scanTimer, content: scanTimer(settings) },
      },
      this,
    );
    this.service = service.changedAt;
    this.changes = [service.changedAt, timer.changedAt];
    this.registerOutputs({});
  }
}
