import * as pulumi from "@pulumi/pulumi";
import { backupDirectory, type HostPaths } from "../../contract/host-paths.ts";
import { File } from "../../provider/resources.ts";
import type { TlsSecrets } from "./registry-secrets.ts";

/** Arguments of {@link TlsFiles}. */
export interface TlsFilesArgs {
  readonly tls: TlsSecrets;
  readonly paths: HostPaths;
}

/** Certificate, private key, and the authority where it is a private one. */
export class TlsFiles extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];
  /** When what nginx serves with was written. */
  public readonly written: readonly pulumi.Output<string>[];
  /** File on the host that programs on the host verify the registry with. */
  public readonly caFile: string;

  constructor(name: string, { tls, paths }: TlsFilesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:TlsFiles", name, {}, opts);
    const own = { parent: this };
    const file = (part: string, path: string, content: pulumi.Output<string>, mode: string) =>
      new File(`${name}-${part}`, { path, content, mode, backupDirectory }, own);
    const files = [
      file("certificate", paths.certificate, pulumi.secret(tls.certificate), "0644"),
      file("private-key", paths.privateKey, pulumi.secret(tls.privateKey), "0600"),
      ...(tls.authority === undefined ? [] : [file("authority", paths.authority, tls.authority, "0644")]),
    ];
    this.changes = files.map(({ changedAt }) => changedAt);
    this.written = files.map(({ writtenAt }) => writtenAt);
    this.caFile = tls.authority === undefined ? paths.certificate : paths.authority;
    this.registerOutputs({});
  }
}
