import * as pulumi from "@pulumi/pulumi";
import { units } from "../../contract/host-names.ts";
import { backupDirectory, hostPaths, ownDirectory } from "../../contract/host-paths.ts";
import { Directory, File, SystemdUnit } from "../../provider/resources.ts";
import {
  collectUnit,
  maintainedDirectory,
  maintenanceTimer,
  markUnit,
  purgeUnit,
  restoreUnit,
  retainUnit,
} from "./render/maintenance-units.ts";
import type { RegistrySettings } from "./settings.ts";
import { timedService } from "./timed-service.ts";

/** Arguments of {@link Maintenance}. */
export interface MaintenanceArgs {
  readonly settings: RegistrySettings;
}

/** What keeps the store small: retention, marks, collections and purges, each as a service with its timer. */
export class Maintenance extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];

  constructor(name: string, { settings }: MaintenanceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:Maintenance", name, {}, opts);
    const { retention, collection } = settings;
    const own = { parent: this };
    const ledger = new Directory(
      `${name}-ledger`,
      { path: `${maintainedDirectory(settings)}/${ownDirectory}`, mode: "0755" },
      own,
    );
    const rules = new File(
      `${name}-rules`,
      { path: hostPaths(settings.directory).retentionRules, content: rulesText(settings), backupDirectory },
      own,
    );
    const timed = (part: "retain" | "mark" | "collect", content: string, timer: string) =>
      timedService(
        `${name}-${part}`,
        { service: { name: units[part], content }, timer: { name: units[`${part}Timer`], content: timer } },
        this,
      );
    const retain = timed(
      "retain",
      retainUnit(settings),
      maintenanceTimer("Daily retention of the registry's tags", retention.onCalendar),
    );
    const mark = timed(
      "mark",
      markUnit(settings),
      maintenanceTimer("Daily mark of what no tag of the registry needs", collection.mark.onCalendar),
    );
    const collect = timed(
      "collect",
      collectUnit(settings),
      maintenanceTimer("Collection of what no tag of the registry needs", collection.onCalendar),
    );
    const purge = this.service(`${name}-purge-service`, units.purge, purgeUnit(settings));
    const restore =
      collection.mode === "apply"
        ? [this.service(`${name}-restore-service`, units.restore, restoreUnit(settings), true)]
        : [];
    const timers = [retain, mark, collect].flatMap(({ service, timer }) => [service, timer]);
    this.changes = [ledger, rules, ...timers, purge, ...restore].map(({ changedAt }) => changedAt);
    this.registerOutputs({});
  }

  private service(name: string, unit: string, content: string, runs = false): SystemdUnit {
    const state = runs ? { enabled: true, active: true, restartOnChange: true } : {};
    return new SystemdUnit(name, { name: unit, content, ...state, backupDirectory }, { parent: this });
  }
}

/** The rules as the programs read them; JSON is YAML. */
function rulesText({ retention: { rules, ignoreAgents } }: RegistrySettings): string {
  return `${JSON.stringify({ rules, ignoreAgents }, null, 2)}\n`;
}
