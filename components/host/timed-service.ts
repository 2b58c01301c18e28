import type * as pulumi from "@pulumi/pulumi";
import { backupDirectory } from "../../contract/host-paths.ts";
import { SystemdUnit } from "../../provider/resources.ts";

/** A unit by its name, with its text. */
export interface UnitFile {
  readonly name: string;
  readonly content: string;
}

/**
 * A service of the host and the timer that starts it, as children of `parent`. `program`: the file that the service runs,
 * where that is one of its own: systemd refuses a unit whose command is not there yet.
 */
export function timedService(
  name: string,
  units: { readonly service: UnitFile; readonly timer: UnitFile },
  parent: pulumi.Resource,
  program?: pulumi.Resource,
): { readonly service: SystemdUnit; readonly timer: SystemdUnit } {
  // Whether it is active is the timer's business; after a run that found something, failed is what it should be.
  const service = new SystemdUnit(
    `${name}-service`,
    { ...units.service, backupDirectory },
    { parent, dependsOn: program === undefined ? [] : [program] },
  );
  const timer = new SystemdUnit(
    `${name}-timer`,
    { ...units.timer, enabled: true, active: true, restartOnChange: true, backupDirectory },
    // A timer whose service is not there yet cannot be started.
    { parent, dependsOn: [service] },
  );
  return { service, timer };
}
