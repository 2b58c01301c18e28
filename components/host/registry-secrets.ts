import type * as pulumi from "@pulumi/pulumi";

/** All secrets of the registry host, as secret Outputs, wherever they came from. */
export interface RegistrySecrets {
  /** PEM text; left out where an SSH agent holds the key. */
  readonly sshPrivateKey?: pulumi.Output<string> | undefined;
  /** Of the host before it, where that takes another key. */
  readonly sshProxyPrivateKey?: pulumi.Output<string> | undefined;
  /** The host's public key, `TYPE BASE64`. */
  readonly hostKey: pulumi.Output<string>;
  readonly registryUser: pulumi.Output<string>;
  readonly registryPassword: pulumi.Output<string>;
  /** Of the account that may only pull, where there is one. */
  readonly pullPassword?: pulumi.Output<string> | undefined;
  readonly tls: TlsSecrets;
  /** Password at the remote registry, by cache name. */
  readonly cachePasswords: Readonly<Record<string, pulumi.Output<string>>>;
}

export interface TlsSecrets {
  /** Left out where the host itself has them. */
  readonly pair?: TlsPair | undefined;
  /** PEM text of the authority, where it is not one that every client trusts. */
  readonly authority?: pulumi.Output<string> | undefined;
}

export interface TlsPair {
  /** PEM text: the leaf, then its chain. */
  readonly certificate: pulumi.Output<string>;
  readonly privateKey: pulumi.Output<string>;
}
