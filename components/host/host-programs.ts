import * as pulumi from "@pulumi/pulumi";
import { programUid } from "../../contract/host-names.ts";
import { backupDirectory, hostPaths, launcherPath } from "../../contract/host-paths.ts";
import { File } from "../../provider/resources.ts";
import { checkConfig } from "./render/check-config.ts";
import { launcherScript } from "./render/launcher.ts";
import type { RegistrySettings } from "./settings.ts";

/** Arguments of {@link HostPrograms}. */
export interface HostProgramsArgs {
  readonly settings: RegistrySettings;
  /** Registry account that the checks log in with; a secret. */
  readonly user: pulumi.Output<string>;
  /** The bundled programs, relative to the project's root. */
  readonly bundle: string;
}

/** The programs, one file, the command that runs them, and the configuration of the deployment check. */
export class HostPrograms extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];
  /** When the bundled programs were last changed. */
  public readonly bundle: pulumi.Output<string>;

  constructor(name: string, args: HostProgramsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:HostPrograms", name, {}, opts);
    const own = { parent: this };
    const paths = hostPaths(args.settings.directory);
    const bundle = new File(
      `${name}-bundle`,
      { path: paths.bundle, source: args.bundle, mode: "0755", backupDirectory },
      own,
    );
    const check = new File(
      `${name}-check-config`,
      {
        path: paths.checkConfig,
        content: pulumi.secret(args.user).apply((user) => checkConfig(args.settings, user)),
        // For the account that reads it only: it names the registry's user.
        mode: "0400",
        owner: String(programUid),
        group: String(programUid),
      },
      own,
    );
    const launcher = new File(
      `${name}-launcher`,
      {
        path: launcherPath,
        content: launcherScript(args.settings),
        mode: "0755",
        backupDirectory,
      },
      own,
    );
    this.bundle = bundle.changedAt;
    this.changes = [bundle.changedAt, check.changedAt, launcher.changedAt];
    this.registerOutputs({});
  }
}
