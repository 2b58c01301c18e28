import * as pulumi from "@pulumi/pulumi";
import { composeProject, containers, registryContainer } from "../../contract/host-names.ts";
import { hostPaths, ownDirectory } from "../../contract/host-paths.ts";
import { Unmanaged } from "../../provider/resources.ts";
import { publishedPorts } from "./render/nginx-config.ts";
import { type RegistrySettings, registryNames } from "./settings.ts";

/** What resources declare on the host, gathered while they are made. */
export class Declared {
  readonly paths: pulumi.Input<string>[] = [];
  readonly units: pulumi.Input<string>[] = [];

  /** For the options of the components whose resources are to be gathered: children inherit it. */
  readonly transformation: pulumi.ResourceTransformation = ({ type, props }) => {
    if (["host:index:File", "host:index:Htpasswd", "host:index:Directory"].includes(type))
      this.paths.push(props.path);
    if (type === "host:index:SystemdUnit") this.units.push(props.name);
    return undefined;
  };
}

/** Arguments of {@link UnmanagedCheck}. */
export interface UnmanagedCheckArgs {
  readonly settings: RegistrySettings;
  readonly declared: Declared;
  readonly sshPort: number;
  /** Directories, beside those of the registry, in which only declared things belong. */
  readonly directories: readonly string[];
  /** What a person has put there and wants to keep, as `KIND:NAME`. */
  readonly allow: readonly string[];
}

/** Names that a file system or the programs on the host give by themselves, in the data directory. */
const ownData = [ownDirectory, "lost+found"];

/** Watches what is on the host beside what is declared; a drift run reports it. */
export class UnmanagedCheck extends pulumi.ComponentResource {
  constructor(name: string, args: UnmanagedCheckArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:UnmanagedCheck", name, {}, opts);
    const { settings, declared, sshPort, directories, allow } = args;
    const paths = hostPaths(settings.directory);
    const { root, nginx, auth, tls, programs, data, certificate, privateKey, authority } = paths;
    const names = [...Object.values(containers), ...registryNames(settings).map(registryContainer)];
    new Unmanaged(
      `${name}-things`,
      {
        directories: [root, nginx, auth, tls, programs, data, ...directories],
        // The host itself may bring its certificate.
        paths: [
          ...declared.paths,
          ...[certificate, privateKey, authority],
          ...ownData.map((each) => `${data}/${each}`),
        ],
        project: composeProject,
        containers: { declared: names, prefixes: ["registry-", "regwarden-"] },
        units: { declared: declared.units, prefixes: ["regwarden", "docker-compose-registry"] },
        ports: [sshPort, ...publishedPorts(settings)],
        allow,
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
