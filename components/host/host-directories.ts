import * as pulumi from "@pulumi/pulumi";
import { accessLogDirectory } from "../../contract/access-log.ts";
import { programUid, registryContainer } from "../../contract/host-names.ts";
import {
  backupDirectory,
  bootDirectoriesFile,
  hostPaths,
  reportDirectory,
  storeMount,
} from "../../contract/host-paths.ts";
import { privateRegistry } from "../../contract/registries.ts";
import { freezeDirectory } from "../../contract/write-freeze.ts";
import { type DataArgs, Directory, type DirectoryArgs, File } from "../../provider/resources.ts";
import { MANAGED_BY } from "./render/managed-by.ts";
import type { RegistrySettings } from "./settings.ts";

/** Arguments of {@link HostDirectories}. */
export interface HostDirectoriesArgs {
  readonly settings: RegistrySettings;
}

/** The directories that everything else lies in. None is ever removed while something is in it. */
export class HostDirectories extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];
  /** Id of the private registry's data: another one means that it is other data. */
  public readonly dataId: pulumi.Output<string>;

  constructor(name: string, { settings }: HostDirectoriesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:HostDirectories", name, {}, opts);
    // First of all: while the data is not where it was, nothing else is made or changed.
    const { path, ...data } = privateData(settings);
    const store = new Directory(`${name}-data-${privateRegistry}`, { path, data }, { parent: this });
    const outer = outerDirectories(settings).map(
      ([part, args]) => new Directory(`${name}-${part}`, args, { parent: this, dependsOn: [store] }),
    );
    // Made with its parents at once, a directory would get no chance to be given its own mode.
    const inside = { parent: this, dependsOn: outer };
    const inner = innerDirectories(settings).map(
      ([part, args]) => new Directory(`${name}-${part}`, args, inside),
    );
    // In memory, so that a boot ends every freeze; nginx does not start without it.
    const boot = new File(
      `${name}-boot`,
      { path: bootDirectoriesFile, content: `# ${MANAGED_BY}\nd ${freezeDirectory} 0755 root root\n` },
      { parent: this },
    );
    this.changes = [...outer, ...inner, store, boot].map(({ changedAt }) => changedAt);
    this.dataId = store.dataId;
    this.registerOutputs({});
  }
}

/** Where the private registry has its data, and what is to be checked of it. */
export function privateData({
  directory,
  dataMount,
}: RegistrySettings): DataArgs & { readonly path: string } {
  return {
    path: hostPaths(directory).registryData(privateRegistry),
    name: privateRegistry,
    ...(dataMount === undefined ? {} : { mount: dataMount }),
    container: registryContainer(privateRegistry),
    target: storeMount,
  };
}

type Named = readonly [part: string, args: DirectoryArgs];

function outerDirectories({ directory }: RegistrySettings): Named[] {
  return [
    ["root", { path: directory }],
    ["backups", { path: backupDirectory, mode: "0700" }],
    ["freeze", { path: freezeDirectory }],
    ["access-log", { path: accessLogDirectory }],
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
