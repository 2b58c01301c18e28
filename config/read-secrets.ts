import * as pulumi from "@pulumi/pulumi";
import type { RegistrySecrets, TlsSecrets } from "../components/host/registry-secrets.ts";
import { sitesWithOwnSecret } from "./cluster.ts";
import { hostKeyOf } from "./known-hosts.ts";
import type { Config } from "./read-config.ts";
import { readKubeconfigFile } from "./read-kubeconfig.ts";
import { type Kv, readKv, type vaultOf } from "./read-vault.ts";
import {
  checkCertificate,
  checkContext,
  checkKubeconfig,
  checkNotEmpty,
  checkPrivateKey,
  checkRcloneConfig,
  checkRegistryPassword,
  checkRegistryUser,
  checkTlsPair,
  type SecretCheck,
} from "./secret-rules.ts";
import { usedPaths } from "./vault-paths.ts";

/** The secrets of the whole stack. */
export interface StackSecrets extends RegistrySecrets {
  /** The kubeconfig's content; undefined without a cluster. */
  readonly kubeconfig: pulumi.Output<string> | undefined;
  /** Configuration of rclone, by site. */
  readonly driveSyncConfigs: Readonly<Record<string, pulumi.Output<string>>>;
}

/**
 * Every secret, from where the configuration says, as secret Outputs. `vault` is the provider of Vault, undefined where
 * they lie in the configuration.
 *
 * Errors: one that lists all that Vault does not give, each with path and field, none with its value.
 */
export async function readSecrets(config: Config, vault: ReturnType<typeof vaultOf>): Promise<StackSecrets> {
  return vault === undefined ? fromConfig(config) : await fromVault(config, vault);
}

function fromConfig(config: Config): StackSecrets {
  const { secrets, host } = config;
  return {
    sshPrivateKey: unixLines(secrets.sshPrivateKey),
    ...proxyKey(config),
    hostKey: pulumi.secret(present(host.hostKey, "host.hostKey")),
    registryUser: present(secrets.registryUser, "registryUser"),
    registryPassword: present(secrets.registryPassword, "registryPassword"),
    pullPassword: secrets.pullPassword,
    tls: configTls(config),
    cachePasswords: secrets.cachePasswords,
    kubeconfig: configKubeconfig(config),
    driveSyncConfigs: secrets.driveSyncConfigs,
  };
}

// Its content and never its path: that would lie in the state, and mean another file on the next machine.
function configKubeconfig({ secrets, cluster }: Config): pulumi.Output<string> | undefined {
  const { enabled, kubeconfigContext: context } = cluster;
  if (!enabled || context === undefined) return undefined;
  return secrets.kubeconfig ?? pulumi.secret(readKubeconfigFile(context));
}

function configTls({ secrets, host }: Config): TlsSecrets {
  const authority = authorityOf(secrets.tlsAuthority);
  if (host.tls !== undefined) return authority;
  const pair = {
    certificate: present(secrets.tlsCertificate, "tlsCertificate"),
    privateKey: present(secrets.tlsPrivateKey, "tlsPrivateKey"),
  };
  return { pair, ...authority };
}

// Read to the end before anything is declared: with Outputs, each fault would fail a resource of its own, later.
async function fromVault(
  config: Config,
  provider: NonNullable<ReturnType<typeof vaultOf>>,
): Promise<StackSecrets> {
  const { host, vault: paths, private: own } = config;
  const used = usedPaths(config).map(({ path }) => path);
  const kv = await readKv(provider, config.vault, used);
  const secret = (path: string, field: string, check: SecretCheck) =>
    pulumi.secret(kv.field(path, field, check));
  const knownKey = () => hostKeyOf(kv.field(paths.sshKey, "known_hosts_entry", checkHostKeyEntry)) ?? "";
  const secrets = {
    // The agent that the configuration names has the key: what is not used need not travel.
    sshPrivateKey:
      host.agentSocketPath === undefined
        ? unixLines(secret(paths.sshKey, "private_key", checkPrivateKey))
        : undefined,
    ...proxyKey(config),
    hostKey: pulumi.secret(host.hostKey ?? knownKey()),
    registryUser: secret(paths.account, "registry_user", checkRegistryUser),
    registryPassword: secret(paths.account, "registry_password", checkRegistryPassword),
    pullPassword:
      own.pullUser === undefined ? undefined : secret(paths.account, "pull_password", checkRegistryPassword),
    tls: paths.tls === undefined ? configTls(config) : vaultTls(config, kv, paths.tls),
    cachePasswords:
      paths.cachePasswords === undefined
        ? config.secrets.cachePasswords
        : vaultCachePasswords(config, kv, paths.cachePasswords),
    kubeconfig:
      paths.kubeconfig === undefined
        ? configKubeconfig(config)
        : vaultKubeconfig(config, kv, paths.kubeconfig),
    driveSyncConfigs:
      paths.driveSync === undefined
        ? config.secrets.driveSyncConfigs
        : vaultDriveSync(config, kv, paths.driveSync),
  };
  kv.assertNoFaults();
  return secrets;
}

function vaultKubeconfig({ cluster }: Config, kv: Kv, path: string): pulumi.Output<string> | undefined {
  const { enabled, kubeconfigContext: context } = cluster;
  if (!enabled || context === undefined) return undefined;
  const content = kv.field(path, "kubeconfig", checkKubeconfig);
  const rule = checkContext(content, context);
  if (rule !== undefined) kv.note(path, "kubeconfig", `must be ${rule}`);
  return pulumi.secret(content);
}

function vaultTls(config: Config, kv: Kv, path: string): TlsSecrets {
  const certificate = kv.field(path, "certificate", checkCertificate);
  const privateKey = kv.field(path, "private_key", checkPrivateKey);
  const areBothPem = checkCertificate(certificate) === undefined && checkPrivateKey(privateKey) === undefined;
  const rule = areBothPem ? checkTlsPair(certificate, privateKey, config.registry.hostname) : undefined;
  if (rule !== undefined) kv.note(path, "private_key", `must be ${rule}`);
  return {
    pair: { certificate: pulumi.secret(certificate), privateKey: pulumi.secret(privateKey) },
    ...authorityOf(config.secrets.tlsAuthority),
  };
}

// Field names as in `dockerhub_registry_password`.
function vaultCachePasswords(
  { caches }: Config,
  kv: Kv,
  path: string,
): Record<string, pulumi.Output<string>> {
  const named = caches.filter(({ username }) => username !== undefined);
  const password = (name: string) =>
    pulumi.secret(kv.field(path, `${name}_registry_password`, checkNotEmpty));
  return Object.fromEntries(named.map(({ name }) => [name, password(name)]));
}

function vaultDriveSync(config: Config, kv: Kv, path: string): Record<string, pulumi.Output<string>> {
  const configuration = (site: string) =>
    pulumi.secret(kv.field(path, `${site}_rclone_conf`, checkRcloneConfig));
  return Object.fromEntries(sitesWithOwnSecret(config.cluster).map((site) => [site, configuration(site)]));
}

// In the configuration also where the rest is in Vault: that has one path for the key of both hosts.
function proxyKey({ secrets }: Config): Pick<StackSecrets, "sshProxyPrivateKey"> {
  const key = unixLines(secrets.sshProxyPrivateKey);
  return key === undefined ? {} : { sshProxyPrivateKey: key };
}

/** A key without the carriage returns of an editor, with which a parser of keys finds none in it. */
function unixLines(key: pulumi.Output<string> | undefined): pulumi.Output<string> | undefined {
  return key?.apply((text) => text.replaceAll("\r\n", "\n"));
}

const checkHostKeyEntry: SecretCheck = (entry) =>
  hostKeyOf(entry) === undefined
    ? "an entry of known_hosts, NAME TYPE BASE64, of type ssh-ed25519 or ecdsa"
    : undefined;

function authorityOf(text: string | undefined): Pick<TlsSecrets, "authority"> {
  return text === undefined ? {} : { authority: pulumi.output(text) };
}

// The settings were refused before: this says so to the types, and would show a mistake there.
function present<T>(value: T | undefined, key: string): T {
  if (value === undefined) throw new pulumi.RunError(`regwarden:${key} is missing`);
  return value;
}
