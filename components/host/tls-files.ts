import * as pulumi from "@pulumi/pulumi";
import { backupDirectory, hostPaths } from "../../contract/host-paths.ts";
import { File } from "../../provider/resources.ts";
import { HostCertificate } from "./host-certificate.ts";
import type { TlsSecrets } from "./registry-secrets.ts";
import type { RegistrySettings } from "./settings.ts";

/** Arguments of {@link TlsFiles}. */
export interface TlsFilesArgs {
  readonly settings: RegistrySettings;
  readonly tls: TlsSecrets;
}

/** Certificate and private key, from the secrets or from the host itself, and the authority where it is a private one. */
export class TlsFiles extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];
  /** When what nginx serves with was written. */
  public readonly written: readonly pulumi.Output<string>[];
  /** File on the host that programs on the host verify the registry with. */
  public readonly caFile: string;

  constructor(name: string, { settings, tls }: TlsFilesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:TlsFiles", name, {}, opts);
    const own = { parent: this };
    const paths = hostPaths(settings.directory);
    const { tlsOnHost } = settings;
    const file = (part: string, path: string, content: pulumi.Output<string>, mode: string) =>
      new File(`${name}-${part}`, { path, content, mode, backupDirectory }, own);
    const files = [
      ...(tls.pair === undefined
        ? []
        : [
            file("certificate", paths.certificate, pulumi.secret(tls.pair.certificate), "0644"),
            file("private-key", paths.privateKey, pulumi.secret(tls.pair.privateKey), "0600"),
          ]),
      ...(tls.authority === undefined ? [] : [file("authority", paths.authority, tls.authority, "0644")]),
    ];
    const onHost = tlsOnHost && new HostCertificate(`${name}-on-host`, { settings, tls: tlsOnHost }, own);
    this.changes = [...files.map(({ changedAt }) => changedAt), ...(onHost?.changes ?? [])];
    this.written = files.map(({ writtenAt }) => writtenAt);
    this.caFile = tls.authority === undefined ? paths.certificate : paths.authority;
    this.registerOutputs({});
  }
}
