import * as pulumi from "@pulumi/pulumi";
import { Directory, File } from "../../provider/resources.ts";
import { type HostAccess, hostCommand } from "./host-command.ts";
import { type DnsSettings, resolvedConfig } from "./render/resolved.ts";
import { forgetResolvedScript, restartResolvedScript } from "./render/scripts.ts";

const DROP_IN_DIRECTORY = "/etc/systemd/resolved.conf.d";

/** Arguments of {@link HostDns}. */
export interface HostDnsArgs {
  readonly dns: DnsSettings;
  readonly access: HostAccess;
  /** Name that must resolve afterwards. */
  readonly probeName: string;
}

/** Which DNS servers the host asks. The replaced file is not kept: a backup may not be there yet. */
export class HostDns extends pulumi.ComponentResource {
  constructor(name: string, { dns, access, probeName }: HostDnsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:HostDns", name, {}, opts);
    const directory = new Directory(`${name}-directory`, { path: DROP_IN_DIRECTORY }, { parent: this });
    const forget = hostCommand(
      `${name}-forget`,
      { access, script: ":", remove: forgetResolvedScript() },
      { parent: this },
    );
    const file = new File(
      `${name}-servers`,
      { path: `${DROP_IN_DIRECTORY}/10-internal-dns.conf`, content: resolvedConfig(dns) },
      // The file is written into the directory. What goes, goes in the other order: first the file, then, by `forget`,
      // what resolved still has of it.
      { parent: this, dependsOn: [directory, forget] },
    );
    hostCommand(
      `${name}-restart`,
      { access, script: restartResolvedScript(probeName), triggers: [file.changedAt] },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
