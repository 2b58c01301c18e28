import * as pulumi from "@pulumi/pulumi";
import { programUid, units } from "../../contract/host-names.ts";
import { Directory } from "../../provider/resources.ts";
import { breakGlassTimer, breakGlassUnit } from "./render/break-glass-units.ts";
import type { BreakGlassSettings, RegistrySettings } from "./settings.ts";
import { timedService } from "./timed-service.ts";

/** Arguments of {@link BreakGlass}. */
export interface BreakGlassArgs {
  readonly settings: RegistrySettings;
  readonly breakGlass: BreakGlassSettings;
}

/** Copies of single images on the host, for when the registry cannot serve them: their directory, the service and its timer. */
export class BreakGlass extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];

  constructor(
    name: string,
    { settings, breakGlass }: BreakGlassArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("registry:host:BreakGlass", name, {}, opts);
    const account = String(programUid);
    const directory = new Directory(
      `${name}-directory`,
      { path: breakGlass.directory, owner: account, group: account },
      { parent: this },
    );
    const { service, timer } = timedService(
      name,
      {
        service: { name: units.breakGlass, content: breakGlassUnit(settings, breakGlass) },
        timer: { name: units.breakGlassTimer, content: breakGlassTimer(breakGlass) },
      },
      this,
    );
    this.changes = [directory, service, timer].map(({ changedAt }) => changedAt);
    this.registerOutputs({});
  }
}
