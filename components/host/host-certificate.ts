import * as pulumi from "@pulumi/pulumi";
import { units } from "../../contract/host-names.ts";
import { backupDirectory, hostPaths } from "../../contract/host-paths.ts";
import { File, Step, SystemdUnit } from "../../provider/resources.ts";
import {
  certificatePath,
  certificateTimer,
  certificateUnit,
  takeCertificateScript,
} from "./render/certificate-units.ts";
import { startUnitScript } from "./render/scripts.ts";
import type { RegistrySettings, TlsOnHost } from "./settings.ts";

/** Arguments of {@link HostCertificate}. */
export interface HostCertificateArgs {
  readonly settings: RegistrySettings;
  readonly tls: TlsOnHost;
}

/** Takes the certificate from where another program on the host renews it: now, at each renewal, and daily. */
export class HostCertificate extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];

  constructor(name: string, args: HostCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:HostCertificate", name, {}, opts);
    const { settings, tls } = args;
    const path = hostPaths(settings.directory).takeCertificate;
    const content = takeCertificateScript(settings, tls);
    const script = new File(
      `${name}-script`,
      { path, content, mode: "0755", backupDirectory },
      { parent: this },
    );
    const service = new SystemdUnit(
      `${name}-service`,
      { name: units.certificate, content: certificateUnit(settings), backupDirectory },
      // systemd refuses a unit whose command is not there yet.
      { parent: this, dependsOn: [script] },
    );
    const starting = { enabled: true, active: true, restartOnChange: true, backupDirectory };
    // What starts the service cannot be started before it is there.
    const after = { parent: this, dependsOn: [service, script] };
    const watched = new SystemdUnit(
      `${name}-path`,
      { name: units.certificatePath, content: certificatePath(tls), ...starting },
      after,
    );
    const timer = new SystemdUnit(
      `${name}-timer`,
      { name: units.certificateTimer, content: certificateTimer(), ...starting },
      after,
    );
    const taken = new Step(
      `${name}-take`,
      {
        action: "take the certificate",
        script: startUnitScript(units.certificate),
        triggers: [script.writtenAt, service.changedAt],
      },
      // Watched first: a renewal from now on is seen.
      { parent: this, dependsOn: [watched] },
    );
    this.changes = [script.changedAt, service.changedAt, watched.changedAt, timer.changedAt, taken.changedAt];
    this.registerOutputs({});
  }
}
