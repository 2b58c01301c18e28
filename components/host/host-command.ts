import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ConnectionArgs } from "../../provider/resources.ts";
import { asRoot } from "./render/scripts.ts";

/** How the one-shot steps get onto the host: the connection, and the account in plain, as it decides about sudo. */
export interface HostAccess {
  readonly user: string;
  readonly connection: ConnectionArgs;
}

/** Arguments of {@link hostCommand}. */
export interface HostCommandArgs {
  readonly access: HostAccess;
  /** POSIX shell, run as root. Never holds a secret: it is shown in every preview. */
  readonly script: string;
  /** What the script reads on standard input; the only way in for a secret. */
  readonly stdin?: pulumi.Output<string>;
  /** When one of these changes, the script runs again. Never secrets. */
  readonly triggers?: readonly pulumi.Input<string>[];
  /** Run instead of the script when something other than a trigger changed: the connection, or the script itself. */
  readonly update?: string;
  /** POSIX shell, run as root when the resource goes. */
  readonly remove?: string;
}

/**
 * The plugin tries again after an authentication that failed as well, and sshd bars an address with several of those.
 * The provider, which does not, has reached the host before any step.
 */
const oneMoreTry = { dialErrorLimit: 1 };

function onceMoreByProxy({ proxy }: ConnectionArgs): Pick<ConnectionArgs, "proxy"> {
  return proxy === undefined ? {} : { proxy: { ...proxy, ...oneMoreTry } };
}

/** A step on the host that has no state of its own. */
export function hostCommand(
  name: string,
  { access, script, stdin, triggers = [], update, remove }: HostCommandArgs,
  opts: pulumi.CustomResourceOptions,
): command.remote.Command {
  return new command.remote.Command(
    name,
    {
      connection: { ...access.connection, ...oneMoreTry, ...onceMoreByProxy(access.connection) },
      create: asRoot(access.user, script),
      triggers: [...triggers],
      // Without it the plugin asks sshd to take a variable, and warns at each update that sshd does not.
      addPreviousOutputInEnv: false,
      ...(update === undefined ? {} : { update }),
      ...(remove === undefined ? {} : { delete: asRoot(access.user, remove) }),
      ...(stdin === undefined ? {} : { stdin: pulumi.secret(stdin) }),
    },
    opts,
  );
}
