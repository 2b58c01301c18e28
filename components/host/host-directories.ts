import * as pulumi from "@pulumi/pulumi";
import { programUid } from "../../contract/host-names.ts";
import { backupDirectory, hostPaths, reportDirectory } from "../../contract/host-paths.ts";
import { privateRegistry } from "../../contract/registries.ts";
import { Directory, type DirectoryArgs } from "../../provider/resources.ts";
import type { RegistrySettings } from "./settings.ts";

/** Arguments of {@link HostDirectories}. */
export interface HostDirectoriesArgs {
  readonly settings: RegistrySettings;
}

/** The directories that everything else lies in. None is ever removed while something is in it. */
export class HostDirectories extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];
  /** When the private registry's data directory was last made or changed. */
  public readonly storeMadeAt: pulumi.Output<string>;

  constructor(name: string, { settings }: HostDirectoriesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:HostDirectories", name, {}, opts);
    const outer = outerDirectories(settings).map(
      ([part, args]) => new Directory(`${name}-${part}`, args, { parent: this }),
    );
    // Made with its parents at once, a directory would get no chance to be given its own mode.
    const inside = { parent: this, dependsOn: outer };
    const { registryData } = hostPaths(settings.directory);
    const store = new Directory(
      `${name}-data-${privateRegistry}`,
      { path: registryData(privateRegistry) },
      inside,
    );
    const inner = innerDirectories(settings).map(
      ([part, args]) => new Directory(`${name}-${part}`, args, inside),
    );
    this.changes = [...outer, ...inner, store].map(({ changedAt }) => changedAt);
    this.storeMadeAt = store.changedAt;
    this.registerOutputs({});
  }
}

type Named = readonly [part: string, args: DirectoryArgs];

function outerDirectories({ directory }: RegistrySettings): Named[] {
  return [
    ["root", { path: directory }],
    ["backups", { path: backupDirectory, mode: "0700" }],
    ["reports", { path: reportDirectory, owner: String(programUid), group: String(programUid) }],
  ];
}

function innerDirectories(settings: RegistrySettings): Named[] {
  const { tls, nginx, auth, programs, data, registryData } = hostPaths(settings.directory);
  const stores = settings.caches.map(({ name }): Named => [`data-${name}`, { path: registryData(name) }]);
  return [
    ["tls", { path: tls, mode: "0700" }],
    ["nginx", { path: nginx }],
    ["auth", { path: auth, mode: "0700" }],
    ["programs", { path: programs }],
    ["data", { path: data }],
    ...stores,
  ];
}
