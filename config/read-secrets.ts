import * as pulumi from "@pulumi/pulumi";
import * as vault from "@pulumi/vault";
import type { RegistrySecrets, TlsSecrets } from "../components/host/registry-secrets.ts";
import { sitesWithOwnSecret } from "./cluster.ts";
import { hostKeyOf } from "./known-hosts.ts";
import type { Config } from "./read-config.ts";
import {
  checkCertificate,
  checkNotEmpty,
  checkPrivateKey,
  checkRcloneConfig,
  checkRegistryPassword,
  checkRegistryUser,
  checkTlsPair,
  type SecretCheck,
} from "./secret-rules.ts";

/** The secrets of the whole stack. */
export interface StackSecrets extends RegistrySecrets {
  /** Configuration of rclone, by site. */
  readonly driveSyncConfigs: Readonly<Record<string, pulumi.Output<string>>>;
}

/**
 * Every secret, from where the configuration says, as secret Outputs. The only reader of Vault.
 *
 * Errors: one that lists all missing and wrong fields of Vault, each with mount, path and field, none with its value.
 */
export async function readSecrets(config: Config): Promise<StackSecrets> {
  return config.secretsSource === "vault" ? await fromVault(config) : fromConfig(config);
}

function fromConfig(config: Config): StackSecrets {
  const { secrets, host } = config;
  return {
    sshPrivateKey: secrets.sshPrivateKey,
    hostKey: pulumi.secret(present(host.hostKey, "host.hostKey")),
    registryUser: present(secrets.registryUser, "registryUser"),
    registryPassword: present(secrets.registryPassword, "registryPassword"),
    pullPassword: secrets.pullPassword,
    tls: configTls(config),
    cachePasswords: secrets.cachePasswords,
    driveSyncConfigs: secrets.driveSyncConfigs,
  };
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
async function fromVault(config: Config): Promise<StackSecrets> {
  const { host, vault: paths, private: own } = config;
  const kv = await readKv(paths);
  const secret = (path: string, field: string, check: SecretCheck) =>
    pulumi.secret(kv.field(path, field, check));
  const knownKey = () => hostKeyOf(kv.field(paths.sshKey, "known_hosts_entry", checkHostKeyEntry)) ?? "";
  const secrets = {
    // The agent that the configuration names has the key: what is not used need not travel.
    sshPrivateKey:
      host.agentSocketPath === undefined ? secret(paths.sshKey, "private_key", checkPrivateKey) : undefined,
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
    driveSyncConfigs:
      paths.driveSync === undefined
        ? config.secrets.driveSyncConfigs
        : vaultDriveSync(config, kv, paths.driveSync),
  };
  if (kv.faults.length > 0) throw new pulumi.RunError(kv.faults.join("\n"));
  return secrets;
}

/** The KV secrets that the configuration names. */
interface Kv {
  /** A field's value; a missing or wrong one is noted among the faults. */
  readonly field: (path: string, field: string, check: SecretCheck) => string;
  readonly note: (path: string, field: string, fault: string) => void;
  readonly faults: readonly string[];
}

async function readKv({ address, mount, ...named }: Config["vault"]): Promise<Kv> {
  const provider = address === undefined ? {} : { provider: new vault.Provider("vault", { address }) };
  const paths = new Set(Object.values(named).filter((path) => path !== undefined));
  const read = async (name: string) => (await vault.kv.getSecretV2({ mount, name }, provider)).data;
  const secrets = new Map(
    await Promise.all([...paths].map(async (path) => [path, await read(path)] as const)),
  );
  const faults: string[] = [];
  const note: Kv["note"] = (path, field, fault) => {
    faults.push(`Vault, mount ${mount}, path ${path}, field ${field}: ${fault}`);
  };
  const field: Kv["field"] = (path, name, check) => {
    const value = secrets.get(path)?.[name];
    const rule = value === undefined ? undefined : check(value);
    if (value === undefined) note(path, name, "is missing");
    if (rule !== undefined) note(path, name, `must be ${rule}`);
    return value ?? "";
  };
  return { field, note, faults };
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

const checkHostKeyEntry: SecretCheck = (entry) =>
  hostKeyOf(entry) === undefined ? "an entry of known_hosts: NAME TYPE BASE64" : undefined;

function authorityOf(text: string | undefined): Pick<TlsSecrets, "authority"> {
  return text === undefined ? {} : { authority: pulumi.output(text) };
}

// The settings were refused before: this says so to the types, and would show a mistake there.
function present<T>(value: T | undefined, key: string): T {
  if (value === undefined) throw new pulumi.RunError(`regwarden:${key} is missing`);
  return value;
}
