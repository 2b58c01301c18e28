import type { HostFacts } from "../facts.ts";
import type { FoundRegistry } from "./registries.ts";

/** A secret that the configuration needs, and the command that takes it from where it is; none is read by `adopt`. */
export interface NeededSecret {
  /** Key without the namespace. */
  readonly key: string;
  readonly note: string;
  readonly command: string;
}

export interface SecretSource {
  readonly stack: string;
  /** `USER@ADDRESS`, with the port where it is another than 22. */
  readonly ssh: string;
  readonly sudo: string;
}

/** The secrets of the stack, in the order in which they are set. */
export function neededSecrets(
  facts: HostFacts,
  registries: readonly FoundRegistry[],
  source: SecretSource,
): NeededSecret[] {
  const set = (key: string) => {
    const path = key.includes(".") ? " --path" : "";
    return `npx pulumi config set --secret${path} --stack ${source.stack} regwarden:${key}`;
  };
  const fromHost = (key: string, command: string) =>
    `ssh ${source.ssh} "${source.sudo}${command}" | ${set(key)}`;
  const users = [...facts.users].flatMap(([, names]) => names);
  return [
    {
      key: "sshPrivateKey",
      note: "not needed with an SSH agent",
      command: `${set("sshPrivateKey")} < id_ed25519`,
    },
    {
      key: "registryUser",
      note:
        users.length === 0 ? "the account that may push" : `the account that may push: ${users.join(" or ")}`,
      command: set("registryUser"),
    },
    {
      key: "registryPassword",
      note: "its password; the host has a hash only",
      command: set("registryPassword"),
    },
    ...tlsSecrets(facts, fromHost, set),
    ...registries.flatMap(({ name, config, configPath }) =>
      config.proxy?.username === undefined
        ? []
        : [
            {
              key: `cachePasswords.${name}`,
              note: `of the account ${config.proxy.username} at ${config.proxy.remoteurl ?? "the remote"}, from ${configPath}`,
              command: fromHost(`cachePasswords.${name}`, `sed -n 's/^ *password: *//p' ${configPath}`),
            },
          ],
    ),
  ];
}

function tlsSecrets(
  { certificates, entries, directory }: HostFacts,
  fromHost: (key: string, command: string) => string,
  set: (key: string) => string,
): NeededSecret[] {
  const certificate = [...certificates.keys()].find((path) => path.startsWith(`${directory}/tls/`));
  const key = entries.find(
    ({ path, type }) => type !== "d" && /^.*\/(privkey|key|.*\.key)(\.pem)?$/.test(path),
  );
  return [
    {
      key: "tlsCertificate",
      note: "the leaf, then its chain",
      command:
        certificate === undefined
          ? `${set("tlsCertificate")} < fullchain.pem`
          : fromHost("tlsCertificate", `cat ${certificate}`),
    },
    {
      key: "tlsPrivateKey",
      note: "of that certificate",
      command:
        key === undefined
          ? `${set("tlsPrivateKey")} < privkey.pem`
          : fromHost("tlsPrivateKey", `cat ${key.path}`),
    },
  ];
}
