import { join } from "node:path";
import { ensureSecret, writeAtomically } from "../machine/files.ts";
import { addressesOf, type Instance, ports } from "../machine/instances.ts";
import { stateDirectory } from "../machine/paths.ts";
import type { LabHost } from "./host.ts";

/** Account of the private registry. */
export interface RegistryAccount {
  readonly user: string;
  readonly password: string;
}

/** The account of the instance's private registry; its password is made once. */
export function ensureAccount(instance: Instance): RegistryAccount {
  return { user: "ci", password: ensureSecret(join(stateDirectory(instance), "registry-password")) };
}

/** Files that clients need to reach the instance's private registry. */
export interface ClientFiles {
  /** `skopeo --authfile`: the account. Only its owner reads it. */
  readonly authFile: string;
  /** `skopeo --cert-dir`: the authority. */
  readonly certificateDirectory: string;
  /** The host's key, under the address that it is reached by. */
  readonly knownHostsFile: string;
  /** Script that runs a command on the host, or opens a shell there, with the host's key checked. */
  readonly sshCommand: string;
  /** HOST:PORT of the private registry. */
  readonly registry: string;
}

/** Paths of the instance's client files. */
export function clientFiles(instance: Instance): ClientFiles {
  const directory = join(stateDirectory(instance), "client");
  return {
    authFile: join(directory, "auth.json"),
    certificateDirectory: join(directory, "certificates"),
    knownHostsFile: join(directory, "known_hosts"),
    sshCommand: join(directory, "ssh"),
    registry: `${addressesOf(instance).address}:${ports.private}`,
  };
}

/** Writes account, authority and the host's key for clients. */
export function writeClientFiles(
  instance: Instance,
  account: RegistryAccount,
  authority: string,
  host: Pick<LabHost, "hostKey" | "privateKeyFile">,
): ClientFiles {
  const files = clientFiles(instance);
  const { address } = addressesOf(instance);
  const auth = Buffer.from(`${account.user}:${account.password}`).toString("base64");
  writeAtomically(
    files.authFile,
    `${JSON.stringify({ auths: { [files.registry]: { auth } } }, null, 2)}\n`,
    0o600,
  );
  writeAtomically(join(files.certificateDirectory, "ca.crt"), authority);
  writeAtomically(files.knownHostsFile, `[${address}]:${ports.ssh} ${host.hostKey}\n`);
  const known = `-o UserKnownHostsFile='${files.knownHostsFile}' -o StrictHostKeyChecking=yes`;
  const ssh = `exec ssh -i '${host.privateKeyFile}' ${known} -p ${ports.ssh} root@${address} "$@"`;
  writeAtomically(files.sshCommand, `#!/bin/sh\n${ssh}\n`, 0o755);
  return files;
}
