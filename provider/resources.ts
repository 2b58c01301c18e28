import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";

/**
 * The public face of the `host` provider: what a Pulumi program may declare on a machine that it reaches by SSH.
 * The provider itself (`main.ts` and what it imports) runs in a process of its own, started by the engine.
 */

/** One SSH connection, in the fields of @pulumi/command's `remote.ProxyConnectionArgs`. */
export interface HopArgs {
  /** Name or address of the host. */
  readonly host: pulumi.Input<string>;
  /** @default 22 */
  readonly port?: pulumi.Input<number>;
  /** Account to log in as. Any account but root needs passwordless sudo. @default root */
  readonly user?: pulumi.Input<string>;
  /** PEM text of the private key; a secret. Without it the agent is asked. */
  readonly privateKey?: pulumi.Input<string>;
  /** Passphrase of `privateKey`; a secret. */
  readonly privateKeyPassword?: pulumi.Input<string>;
  /** Socket of the SSH agent. @default the environment's SSH_AUTH_SOCK */
  readonly agentSocketPath?: pulumi.Input<string>;
  /**
   * The host's public key, `TYPE BASE64`, as in a known_hosts entry without the names. Required: nothing unverified.
   * Not of type ssh-rsa.
   */
  readonly hostKey: pulumi.Input<string>;
  /** Attempts to connect before giving up. @default 10 */
  readonly dialErrorLimit?: pulumi.Input<number>;
  /** Seconds for each attempt. @default 15 */
  readonly perDialTimeout?: pulumi.Input<number>;
}

/** How to reach the host, in the fields of @pulumi/command's `remote.ConnectionArgs`. */
export interface ConnectionArgs extends HopArgs {
  /** The host (bastion, jump host) from which this one is reached. Its host key is verified just so. */
  readonly proxy?: HopArgs;
}

/** Arguments of {@link Provider}. */
export interface ProviderArgs {
  readonly connection: pulumi.Input<ConnectionArgs>;
  /** Paths on the host that must be mount points before anything is changed there. */
  readonly mounts?: readonly string[];
  /**
   * The stack goes on without this host: while it cannot be reached, what is recorded of it stands, and its
   * {@link Reachable}, on which everything there depends, differs and fails. It runs no containers. @default false
   */
  readonly deferrable?: boolean;
}

/**
 * One host. All its resources share one SSH connection. The whole connection is a secret in state. A new key, agent,
 * account or address changes and replaces no resource: they are read again, over the new connection.
 */
export class Provider extends pulumi.ProviderResource {
  constructor(name: string, args: ProviderArgs, opts?: pulumi.ResourceOptions) {
    const mounts = args.mounts?.length ? { mounts: args.mounts.join("\n") } : {};
    const connection = pulumi.secret(pulumi.jsonStringify(args.connection));
    const deferrable = args.deferrable === true ? { deferrable: "true" } : {};
    super("host", name, { connection, ...mounts, ...deferrable }, opts);
  }
}

/** Owner and permissions, of a file or a directory. */
export interface OwnershipArgs {
  /** Absolute path on the host. A new path replaces the resource. */
  readonly path: pulumi.Input<string>;
  /** Permission bits, octal, four digits. @default "0644" for files, "0755" for directories */
  readonly mode?: pulumi.Input<string>;
  /** User name, or the id where the host has no name for it. @default root */
  readonly owner?: pulumi.Input<string>;
  /** Group name, or the id where the host has no name for it. @default root */
  readonly group?: pulumi.Input<string>;
}

/** Outputs of every managed thing on the host. */
abstract class HostResource extends pulumi.CustomResource {
  /** When this program last changed the thing, ISO 8601. Changes with every create and update: a trigger for what follows. */
  declare public readonly changedAt: pulumi.Output<string>;

  protected constructor(
    kind: string,
    name: string,
    inputs: pulumi.Inputs,
    opts?: pulumi.CustomResourceOptions,
  ) {
    super(`host:index:${kind}`, name, { ...inputs, changedAt: undefined }, opts);
  }
}

/** What makes a {@link Directory} one with data that exists nowhere else. */
export interface DataArgs {
  /** What it holds, for example a registry: names the record that the host keeps of it. */
  readonly name: string;
  /** The directory itself or one above it that must be a mount point, before anything is made or changed. */
  readonly mount?: string | undefined;
  /** Container that serves the data, and where in it: one that serves another directory shows that the data is there. */
  readonly container?: string;
  readonly target?: string;
}

/** Arguments of {@link Directory}. */
export interface DirectoryArgs extends OwnershipArgs {
  /**
   * Set for data that exists nowhere else: it is made once. From then on a directory that is gone, not mounted, another
   * one or elsewhere fails the update, and nothing is made in its place.
   */
  readonly data?: DataArgs;
}

/** A directory. Removed only when it is empty: what is in it is never deleted. */
export class Directory extends HostResource {
  declare public readonly path: pulumi.Output<string>;
  /** With `data`: an id that the data has for as long as it exists. Another one means other data. */
  declare public readonly dataId: pulumi.Output<string>;

  constructor(name: string, args: DirectoryArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = args.data === undefined ? {} : { dataId: undefined };
    super("Directory", name, { mode: "0755", owner: "root", group: "root", ...args, ...outputs }, opts);
  }
}

/** Arguments of {@link File}: exactly one of `content` and `source`. */
export interface FileArgs extends OwnershipArgs {
  /** The text. Shown line by line in a diff, unless it is a secret. */
  readonly content?: pulumi.Input<string>;
  /** A file of this project, relative to its root: for what is large or binary; compared by its SHA-256. */
  readonly source?: string;
  /**
   * Command that must succeed before the new file takes its place; `{}` stands for the path of the temporary copy,
   * which lies in the same directory. When it fails the old file stays as it was.
   */
  readonly validate?: pulumi.Input<string>;
  /** Directory on the host that gets a copy of each version that is replaced or deleted. */
  readonly backupDirectory?: pulumi.Input<string>;
  /** Path of a copy on the host that takes the file's place when the resource goes, where there is such a copy. */
  readonly restoreFrom?: pulumi.Input<string>;
}

/** A regular file, written atomically. */
export class File extends HostResource {
  /** When this program last wrote the content. Unlike `changedAt` it does not change with the mode or the owner alone. */
  declare public readonly writtenAt: pulumi.Output<string>;
  declare public readonly path: pulumi.Output<string>;

  constructor(name: string, args: FileArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "File",
      name,
      {
        mode: "0644",
        owner: "root",
        group: "root",
        ...args,
        ...sourceDigest(args.source),
        writtenAt: undefined,
      },
      opts,
    );
  }
}

/** Arguments of {@link Htpasswd}. */
export interface HtpasswdArgs extends OwnershipArgs {
  /** Password by user name; secrets. */
  readonly users: pulumi.Input<Record<string, pulumi.Input<string>>>;
  readonly backupDirectory?: pulumi.Input<string>;
}

/**
 * An htpasswd file with bcrypt entries. Salts are random and stay on the host: reading the file checks whether each
 * entry still verifies its password, so nothing changes until a password, a name or the file does.
 */
export class Htpasswd extends HostResource {
  /** When this program last wrote the entries. */
  declare public readonly writtenAt: pulumi.Output<string>;
  declare public readonly path: pulumi.Output<string>;

  constructor(name: string, args: HtpasswdArgs, opts?: pulumi.CustomResourceOptions) {
    const users = pulumi.secret(args.users);
    super(
      "Htpasswd",
      name,
      { mode: "0600", owner: "root", group: "root", ...args, users, writtenAt: undefined },
      opts,
    );
  }
}

/** Arguments of {@link Image}. */
export interface ImageArgs {
  /** With a tag that does not move, or a digest. Another one replaces the resource. */
  readonly reference: pulumi.Input<string>;
}

/**
 * An image of the host's Docker engine, under its reference: pulled where it is missing, taken as it is where it was
 * loaded. It stays on the host when the resource goes.
 */
export class Image extends HostResource {
  /** Id of the image that the reference named first; another one under that name is drift. */
  declare public readonly imageId: pulumi.Output<string>;

  constructor(name: string, args: ImageArgs, opts?: pulumi.CustomResourceOptions) {
    super("Image", name, { ...args, imageId: undefined }, opts);
  }
}

/** One service of a {@link ComposeProject}, as it should be found running. */
export interface ComposeServiceArgs {
  /** Its `container_name`. */
  readonly container: string;
  /** Image reference, exactly as in the compose file. */
  readonly image: pulumi.Input<string>;
  /** Value of the service's label `regwarden.revision`: a digest over its definition and all that is mounted into it. */
  readonly revision: pulumi.Input<string>;
  /**
   * `writtenAt` of the files that are mounted into it. When one is written anew, even with the content that the
   * revision has known all along, the container is restarted: it would go on with the file that was replaced.
   */
  readonly mounted?: pulumi.Input<string>[];
  /** Whether the service has a health check that must pass. @default true */
  readonly healthcheck?: boolean;
}

/** Arguments of {@link ComposeProject}. */
export interface ComposeProjectArgs {
  /** Compose project name. A new one replaces the resource. */
  readonly project: pulumi.Input<string>;
  /** Absolute path of the compose file on the host. */
  readonly file: pulumi.Input<string>;
  /** The services by name: all that the file defines. */
  readonly services: Readonly<Record<string, ComposeServiceArgs>>;
  /** Services whose own recreation is no bounce of what stands behind them (a reverse proxy, a UI). */
  readonly dependents?: pulumi.Input<pulumi.Input<string>[]>;
  /** Directories with data that must be in place before a container is started: as {@link DirectoryArgs.data}. */
  readonly data?: readonly (DataArgs & { readonly path: string })[];
  /** Seconds that `docker compose up --wait` may take. @default 300 */
  readonly waitTimeoutSeconds?: pulumi.Input<number>;
  /**
   * POSIX shell, run as root just before containers are made anew (images are there by then) and right after it, whatever
   * became of them. Never holds a secret. A change of it is none of the containers.
   */
  readonly hold?: { readonly begin: string; readonly end: string };
}

/** The running containers of a compose file. */
export class ComposeProject extends HostResource {
  /** Changes whenever this program has started or recreated a container that is not one of the `dependents`. */
  declare public readonly bounce: pulumi.Output<string>;

  constructor(name: string, args: ComposeProjectArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "ComposeProject",
      name,
      { dependents: [], waitTimeoutSeconds: 300, ...args, bounce: undefined },
      opts,
    );
  }
}

/** Arguments of {@link SystemdUnit}. */
export interface SystemdUnitArgs {
  /** Unit name with its type, for example `regwarden-scan.timer`. A new one replaces the resource. */
  readonly name: pulumi.Input<string>;
  /** The unit file's text. */
  readonly content: pulumi.Input<string>;
  /** Whether it starts at boot. Leave it out for a unit without an [Install] section. */
  readonly enabled?: pulumi.Input<boolean>;
  /** Whether it is active now. Leave it out where that is not ours to say (a oneshot that a timer starts). */
  readonly active?: pulumi.Input<boolean>;
  /** Restart it when its text changed. @default false: a change of the text alone stops nothing */
  readonly restartOnChange?: pulumi.Input<boolean>;
  /** Directory on the host that gets each unit file or drop-in that is replaced or removed. */
  readonly backupDirectory?: pulumi.Input<string>;
}

/** A unit of systemd in /etc/systemd/system: its text, that it has no drop-in, whether it is enabled and active. */
export class SystemdUnit extends HostResource {
  constructor(name: string, args: SystemdUnitArgs, opts?: pulumi.CustomResourceOptions) {
    super("SystemdUnit", name, { restartOnChange: false, ...args }, opts);
  }
}

/** Arguments of {@link Step}. */
export interface StepArgs {
  /** What the script does, for messages: `reload nginx`. */
  readonly action: string;
  /** POSIX shell, run as root. Never holds a secret: it is shown in every preview. */
  readonly script: string;
  /** What the script reads on standard input: the only way in for a secret. */
  readonly stdin?: pulumi.Output<string>;
  /** The script runs again when one of these changes, and for nothing else. Never secrets. @default none */
  readonly triggers?: readonly pulumi.Input<string>[];
  /** POSIX shell, run as root when the resource goes. */
  readonly removal?: string;
}

/**
 * A script that runs once on the host, and again when a trigger changes. A failed one is run again by the next update.
 * What it leaves behind is not read back: for what can be, there are the other resources.
 */
export class Step extends HostResource {
  constructor(
    name: string,
    { stdin, triggers = [], ...args }: StepArgs,
    opts?: pulumi.CustomResourceOptions,
  ) {
    const secret = stdin === undefined ? {} : { stdin: pulumi.secret(stdin) };
    super("Step", name, { ...args, ...secret, triggers: [...triggers] }, opts);
  }
}

/** Arguments of {@link NetplanDns}. */
export interface NetplanDnsArgs {
  /** Id of the device in netplan's files. A new one replaces the resource. */
  readonly device: string;
  /** Addresses, the preferred one first. */
  readonly servers: readonly string[];
  readonly searchDomains: readonly string[];
  /** Name that must resolve afterwards, or the host takes the change back. */
  readonly name?: pulumi.Input<string>;
}

/**
 * The name servers of one device in netplan, exactly these, whichever file names them. A change is applied under a
 * rollback of the host's own; the former file comes back when the resource goes.
 */
export class NetplanDns extends HostResource {
  constructor(name: string, args: NetplanDnsArgs, opts?: pulumi.CustomResourceOptions) {
    super("NetplanDns", name, { ...args, written: undefined }, opts);
  }
}

/** Arguments of {@link Reachable}. */
export interface ReachableArgs {
  /** What the configuration calls the host. */
  readonly host: string;
}

/**
 * That a host can be reached. While it cannot, this differs and fails, and with it all that depends on it is left for
 * another time: for a provider that is `deferrable`.
 */
export class Reachable extends HostResource {
  constructor(name: string, args: ReachableArgs, opts?: pulumi.CustomResourceOptions) {
    super("Reachable", name, { ...args }, opts);
  }
}

/** What is known by name: what is declared, and how names begin that only declared things may have. */
export interface UnmanagedNames {
  readonly declared: pulumi.Input<pulumi.Input<string>[]>;
  readonly prefixes: readonly string[];
}

/** Arguments of {@link Unmanaged}. */
export interface UnmanagedArgs {
  /** Directories in which only declared things belong. */
  readonly directories: readonly string[];
  /** Declared paths. */
  readonly paths: pulumi.Input<pulumi.Input<string>[]>;
  /** Compose project, in whose networks only its own containers belong. */
  readonly project: string;
  readonly containers: UnmanagedNames;
  readonly units: UnmanagedNames;
  /** TCP ports that may listen to other machines. */
  readonly ports: readonly number[];
  /** `KIND:NAME` of what is known and left alone; `*` in it stands for any text. */
  readonly allow: readonly string[];
}

/**
 * What is on the host and not declared. Each read leaves it in the output `parts`; it is never a difference and nothing
 * of it is ever changed, so an update passes over it. See contract/unmanaged.ts.
 */
export class Unmanaged extends HostResource {
  constructor(name: string, args: UnmanagedArgs, opts?: pulumi.CustomResourceOptions) {
    super("Unmanaged", name, { ...args, parts: undefined }, opts);
  }
}

function sourceDigest(source: string | undefined): { sha256?: string } {
  if (source === undefined) return {};
  const path = resolve(import.meta.dirname, "..", source);
  if (!existsSync(path)) throw new pulumi.RunError(`${source} is missing: run \`npm run build\` first`);
  return { sha256: createHash("sha256").update(readFileSync(path)).digest("hex") };
}
