import { driveSyncFaults } from "./drive-sync-secrets.ts";
import type { Fault } from "./faults.ts";
import { AUTHORITY_KEY, type Settings } from "./schema.ts";
import {
  checkCertificate,
  checkPrivateKey,
  checkRegistryPassword,
  checkRegistryUser,
  checkTlsPair,
  type SecretCheck,
} from "./secret-rules.ts";

interface SecretKey {
  readonly key: string;
  readonly check: SecretCheck;
  readonly needed: boolean;
  /** Where the shell may read a long value from. */
  readonly file?: string;
}

/**
 * What is wrong with the secrets in the Pulumi configuration. `raw` holds their values: none reaches a fault.
 */
export function secretFaults(
  raw: Readonly<Record<string, string>>,
  settings: Partial<Settings>,
  hostname: string | undefined,
): Fault[] {
  const single = secretKeys(settings).flatMap((secret) => singleFault(secret, raw[secret.key]));
  const pair = single.length === 0 ? tlsPairFault(raw, hostname) : [];
  return [
    ...single,
    ...pair,
    ...cachePasswordFaults(raw.cachePasswords, settings),
    ...driveSyncFaults(raw.driveSyncConfigs, settings),
  ];
}

/** The passwords of the caches by name; undefined when the text is not such an object. */
function parseCachePasswords(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) return undefined;
    const passwords = Object.entries(parsed).filter(([, value]) => typeof value === "string" && value !== "");
    return passwords.length === Object.keys(parsed).length ? Object.fromEntries(passwords) : undefined;
  } catch {
    return undefined;
  }
}

function secretKeys({ secretsSource, vault }: Partial<Settings>): SecretKey[] {
  const fromConfig = secretsSource === "config";
  const tls = fromConfig || (secretsSource === "vault" && vault !== undefined && vault.tls === undefined);
  return [
    // Not needed where an SSH agent holds the key.
    { key: "sshPrivateKey", check: checkPrivateKey, needed: false, file: "id_ed25519" },
    { key: "registryUser", check: checkRegistryUser, needed: fromConfig },
    { key: "registryPassword", check: checkRegistryPassword, needed: fromConfig },
    { key: "tlsCertificate", check: checkCertificate, needed: tls, file: "fullchain.pem" },
    { key: "tlsPrivateKey", check: checkPrivateKey, needed: tls, file: "privkey.pem" },
    { key: AUTHORITY_KEY, check: checkCertificate, needed: false, file: "ca.pem" },
  ];
}

function singleFault({ key, check, needed, file }: SecretKey, value: string | undefined): Fault[] {
  const rule = value === undefined ? (needed ? "set, as a secret" : undefined) : check(value);
  if (rule === undefined) return [];
  return [
    { key, value: value === undefined ? "(missing)" : "(not shown)", rule, example: setCommand(key, file) },
  ];
}

function setCommand(key: string, file?: string): string {
  const secret = key === AUTHORITY_KEY ? "" : "--secret ";
  return `pulumi config set ${secret}regwarden:${key}${file === undefined ? "" : ` < ${file}`}`;
}

function tlsPairFault(raw: Readonly<Record<string, string>>, hostname: string | undefined): Fault[] {
  const { tlsCertificate, tlsPrivateKey } = raw;
  if (tlsCertificate === undefined || tlsPrivateKey === undefined || hostname === undefined) return [];
  const rule = checkTlsPair(tlsCertificate, tlsPrivateKey, hostname);
  if (rule === undefined) return [];
  return [
    { key: "tlsPrivateKey", value: "(not shown)", rule, example: setCommand("tlsPrivateKey", "privkey.pem") },
  ];
}

function cachePasswordFaults(text: string | undefined, { caches, vault }: Partial<Settings>): Fault[] {
  const passwords = parseCachePasswords(text);
  const command = (name: string) => `pulumi config set --secret --path regwarden:cachePasswords.${name}`;
  if (passwords === undefined) {
    const rule = "an object of passwords by cache name, none empty";
    return [{ key: "cachePasswords", value: "(not shown)", rule, example: command("NAME") }];
  }
  if (caches === undefined || vault?.cachePasswords !== undefined) return [];
  const missing = caches
    .filter(({ name, username }) => username !== undefined && passwords[name] === undefined)
    .map(({ name }) => fault(name, "(missing)", `set, as the cache ${name} has a username`, command(name)));
  const idle = Object.keys(passwords)
    .filter((name) => caches.find((cache) => cache.name === name)?.username === undefined)
    .map((name) => fault(name, "(not shown)", "the name of a cache that has a username", "remove it"));
  return [...missing, ...idle];
}

function fault(cache: string, value: string, rule: string, example: string): Fault {
  return { key: `cachePasswords.${cache}`, value, rule, example };
}
