import * as pulumi from "@pulumi/pulumi";
import { dnsOriginal, dnsPaths } from "../../contract/dns.ts";
import { Directory, File, NetplanDns, Reachable, Step } from "../../provider/resources.ts";
import { dnsCommand } from "./render/dns-command.ts";
import { refuseResolvedScript, resolvConf } from "./render/resolv-conf.ts";
import { type DnsSettings, resolvedConfig } from "./render/resolved.ts";
import { forgetResolvedScript, resolveScript, restartResolvedScript } from "./render/scripts.ts";

/** What reads the name servers on a host. */
export type ResolverKind = "resolved" | "resolvConf";

/** Arguments of {@link HostDns}. */
export interface HostDnsArgs {
  readonly dns: DnsSettings;
  readonly kind: ResolverKind;
  /** Device whose servers in netplan are to be the same; undefined leaves netplan alone. */
  readonly netplan?: string | undefined;
  /** Name that must resolve afterwards. */
  readonly probeName: string;
  /** The key of the stack's configuration that the servers come from. */
  readonly configKey: string;
  /** Set where the stack goes on without the host while it cannot be reached: what the configuration calls it. */
  readonly deferrable?: string | undefined;
}

/**
 * Which DNS servers a host asks. What was there before the first change is kept on the host, and comes back when the
 * servers are not the stack's any more.
 */
export class HostDns extends pulumi.ComponentResource {
  constructor(name: string, args: HostDnsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:HostDns", name, {}, opts);
    const { dns, kind, probeName, configKey, deferrable } = args;
    const after = (...dependsOn: pulumi.Resource[]) => ({ parent: this, dependsOn });
    const reached =
      deferrable === undefined ? [] : [new Reachable(`${name}-reachable`, { host: deferrable }, after())];
    const command = new File(
      `${name}-command`,
      {
        path: dnsPaths.command,
        content: dnsCommand({ kind, servers: dns.servers, name: probeName, configKey }),
        mode: "0755",
      },
      after(...reached),
    );
    const backup = new Step(
      `${name}-backup`,
      {
        action: "keep the former name servers",
        script: `${dnsPaths.command} backup\n`,
        removal: `${dnsPaths.command} retire\n`,
      },
      // It is the command that keeps the copy.
      after(command),
    );
    if (kind === "resolved") this.resolved(name, args, after(backup));
    else this.plain(name, args, after(backup));
    this.registerOutputs({});
  }

  private resolved(
    name: string,
    { dns, netplan, probeName }: HostDnsArgs,
    afterBackup: pulumi.CustomResourceOptions,
  ): void {
    const directory = new Directory(`${name}-directory`, { path: dnsPaths.dropInDirectory }, afterBackup);
    const forget = new Step(
      `${name}-forget`,
      { action: "forget the name servers", script: ":", removal: forgetResolvedScript() },
      afterBackup,
    );
    const file = new File(
      `${name}-servers`,
      { path: dnsPaths.dropIn, content: resolvedConfig(dns), restoreFrom: dnsOriginal(dnsPaths.dropIn) },
      // The file is written into the directory. What goes, goes in the other order: first the file, then, by `forget`,
      // what resolved still has of it.
      { parent: this, dependsOn: [directory, forget] },
    );
    const restart = new Step(
      `${name}-restart`,
      {
        action: "restart systemd-resolved",
        script: restartResolvedScript(probeName),
        triggers: [changeOf(file)],
      },
      { parent: this, dependsOn: [file] },
    );
    if (netplan === undefined) return;
    new NetplanDns(
      `${name}-netplan`,
      { device: netplan, ...dns, name: probeName },
      // Whether names resolve with both layers can be said once resolved has taken up its own.
      { parent: this, dependsOn: [restart] },
    );
  }

  private plain(
    name: string,
    { dns, probeName }: HostDnsArgs,
    afterBackup: pulumi.CustomResourceOptions,
  ): void {
    const file = new File(
      `${name}-servers`,
      {
        path: dnsPaths.resolvConf,
        content: resolvConf(dns),
        validate: refuseResolvedScript(),
        restoreFrom: dnsOriginal(dnsPaths.resolvConf),
      },
      afterBackup,
    );
    new Step(
      `${name}-check`,
      { action: "resolve a name", script: resolveScript(probeName), triggers: [changeOf(file)] },
      { parent: this, dependsOn: [file] },
    );
  }
}

/**
 * When the file changed. Where it was left out as its host is deferred, the output has failed, which would end the whole
 * program: what waits for it by `dependsOn` is left out too, and needs no value.
 */
function changeOf(file: File): pulumi.Output<string> {
  return pulumi.recover(file.changedAt, () => "");
}
