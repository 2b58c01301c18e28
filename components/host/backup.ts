import * as pulumi from "@pulumi/pulumi";
import { units } from "../../contract/host-names.ts";
import { backupDirectory, hostPaths } from "../../contract/host-paths.ts";
import { File } from "../../provider/resources.ts";
import { backUpScript, backupKnownHosts, backupTimer, backupUnit } from "./render/backup-units.ts";
import type { BackupSettings, RegistrySettings } from "./settings.ts";
import { timedService } from "./timed-service.ts";

/** Arguments of {@link Backup}. */
export interface BackupArgs {
  readonly settings: RegistrySettings;
  readonly backup: BackupSettings;
}

/** Copies of the private registry's store on another machine: the script, that machine's key, the service and its timer. */
export class Backup extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];

  constructor(name: string, { settings, backup }: BackupArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:Backup", name, {}, opts);
    const paths = hostPaths(settings.directory);
    const file = (part: string, path: string, content: string, mode: string) =>
      new File(`${name}-${part}`, { path, content, mode, backupDirectory }, { parent: this });
    const script = file("script", paths.backUpStore, backUpScript(settings, backup), "0755");
    const knownHosts = file("known-hosts", paths.backupKnownHosts, backupKnownHosts(backup), "0644");
    const { service, timer } = timedService(
      name,
      {
        service: { name: units.backup, content: backupUnit(settings) },
        timer: { name: units.backupTimer, content: backupTimer(backup) },
      },
      this,
    );
    this.changes = [script, knownHosts, service, timer].map(({ changedAt }) => changedAt);
    this.registerOutputs({});
  }
}
