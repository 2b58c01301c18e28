import * as pulumi from "@pulumi/pulumi";
import { units } from "../../contract/host-names.ts";
import { backupDirectory, hostPaths } from "../../contract/host-paths.ts";
import { File } from "../../provider/resources.ts";
import { accessLogTimer, accessLogUnit, rotateAccessLogScript } from "./render/access-log-units.ts";
import type { RegistrySettings } from "./settings.ts";
import { timedService } from "./timed-service.ts";

/** Arguments of {@link AccessLog}. */
export interface AccessLogArgs {
  readonly settings: RegistrySettings;
}

/** The log in which nginx writes what clients were answered: a new file each day, for a month, in a bounded space. */
export class AccessLog extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];

  constructor(name: string, { settings }: AccessLogArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:AccessLog", name, {}, opts);
    const path = hostPaths(settings.directory).rotateAccessLog;
    const script = new File(
      `${name}-script`,
      { path, content: rotateAccessLogScript(), mode: "0755", backupDirectory },
      { parent: this },
    );
    const { service, timer } = timedService(
      name,
      {
        service: { name: units.accessLog, content: accessLogUnit(settings) },
        timer: { name: units.accessLogTimer, content: accessLogTimer() },
      },
      this,
      script,
    );
    this.changes = [script, service, timer].map(({ changedAt }) => changedAt);
    this.registerOutputs({});
  }
}
