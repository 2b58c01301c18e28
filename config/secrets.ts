import * as v from "valibot";
import type { Fault } from "./faults.ts";
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
import { described, withDefault } from "./setting.ts";
import { vaultEntries } from "./vault.ts";

/** Where the secrets come from, and what is wrong with those that lie in the Pulumi configuration. */

const source = described("where the secrets come from: config or vault", v.picklist(["config", "vault"]));
export const secretEntries = {
  secretsSource: withDefault(source, "config"),
};

const schema = v.strictObject({ ...secretEntries, ...vaultEntries });
type SecretSettings = Partial<v.InferOutput<typeof schema>> & {
  readonly private?: { readonly pullUser?: string | undefined };
  readonly host?: { readonly tls?: object | undefined };
};

interface SecretKey {
  readonly check: SecretCheck;
  readonly isNeeded: (settings: SecretSettings) => boolean;
  /** File that the shell may read a long value from. */
  readonly file?: string;
}

const fromConfig = ({ secretsSource }: SecretSettings): boolean => secretsSource === "config";
const tlsFromConfig = (settings: SecretSettings): boolean =>
  settings.host?.tls === undefined && (fromConfig(settings) || isTlsLeftByVault(settings));
const isTlsLeftByVault = (settings: SecretSettings): boolean =>
  settings.secretsSource === "vault" && settings.vault !== undefined && settings.vault.tls === undefined;
const never = (): boolean => false;

/** Secrets of the Pulumi configuration that are one text each. No message may show them. */
export const secretKeys = {
  // Not needed where an SSH agent holds the key.
  sshPrivateKey: { check: checkPrivateKey, isNeeded: never, file: "id_ed25519" },
  // Not needed where the host before the VM takes the same key.
  sshProxyPrivateKey: { check: checkPrivateKey, isNeeded: never, file: "id_ed25519" },
  registryUser: { check: checkRegistryUser, isNeeded: fromConfig },
  registryPassword: { check: checkRegistryPassword, isNeeded: fromConfig },
  pullPassword: {
    check: checkRegistryPassword,
    isNeeded: (settings) => fromConfig(settings) && settings.private?.pullUser !== undefined,
  },
  tlsCertificate: { check: checkCertificate, isNeeded: tlsFromConfig, file: "fullchain.pem" },
  tlsPrivateKey: { check: checkPrivateKey, isNeeded: tlsFromConfig, file: "privkey.pem" },
  // Not needed where KUBECONFIG names a file, or ~/.kube/config is there.
  kubeconfig: { check: checkKubeconfig, isNeeded: never, file: "kubeconfig" },
} as const satisfies Record<string, SecretKey>;

/** PEM text of the authority that signed the certificate: no secret, yet too long for the settings. */
export const authorityKey = "tlsAuthority";

const authority: SecretKey = { check: checkCertificate, isNeeded: never, file: "ca.pem" };

interface SecretsByName {
  readonly check: SecretCheck;
  /** What the key must hold, when it is no object of texts. */
  readonly form: string;
  /** Whose name each value has. */
  readonly owner: string;
  /** Why that one needs a value. */
  readonly reason: (name: string) => string;
  readonly isFromVault: (vault: NonNullable<SecretSettings["vault"]>) => boolean;
  readonly file?: string;
}

/** Secrets of the Pulumi configuration that are objects of texts by name. */
export const secretsByName = {
  cachePasswords: {
    check: checkNotEmpty,
    form: "an object of passwords by cache name",
    owner: "a cache that has a username",
    reason: (name) => `the cache ${name} has a username`,
    isFromVault: ({ cachePasswords }) => cachePasswords !== undefined,
  },
  driveSyncConfigs: {
    check: checkRcloneConfig,
    form: "an object of rclone configurations by site name",
    owner: "a site without externalSecret",
    reason: (name) => `the site ${name} has no externalSecret`,
    isFromVault: ({ driveSync }) => driveSync !== undefined,
    file: "rclone.conf",
  },
} as const satisfies Record<string, SecretsByName>;

/** All keys that no schema of settings knows. */
export const secretKeyNames: readonly string[] = [
  ...Object.keys(secretKeys),
  ...Object.keys(secretsByName),
  authorityKey,
];

/** Names that need a secret of their own, by key; undefined where that cannot be said. */
export type NeededNames = Readonly<Record<keyof typeof secretsByName, readonly string[] | undefined>>;

/**
 * What is wrong with the secrets in the Pulumi configuration. `raw` holds their values: none reaches a fault.
 * `hostname` is what the certificate must name, `context` what the kubeconfig must have; undefined where that cannot be
 * said.
 */
export function secretFaults(
  raw: Readonly<Record<string, string>>,
  settings: SecretSettings,
  needed: NeededNames,
  hostname: string | undefined,
  context: string | undefined,
): Fault[] {
  const keys: [string, SecretKey][] = [...Object.entries(secretKeys), [authorityKey, authority]];
  const single = keys.flatMap(([key, secret]) => singleFault(key, secret, raw[key], settings));
  const pair = single.length === 0 ? tlsPairFault(raw, hostname) : [];
  const own = [
    ...(single.length === 0 ? ownNameFault(raw, settings) : []),
    ...twoSourcesFault(raw, settings),
  ];
  const byName = Object.entries(secretsByName).flatMap(([key, kind]) =>
    byNameFaults(key, kind, raw[key], needed[key as keyof NeededNames], settings),
  );
  return [...single, ...own, ...pair, ...contextFault(raw.kubeconfig, context), ...byName];
}

function singleFault(
  key: string,
  { check, isNeeded, file }: SecretKey,
  value: string | undefined,
  settings: SecretSettings,
): Fault[] {
  const missing = isNeeded(settings) ? "set, as a secret" : undefined;
  const rule = value === undefined ? missing : check(value);
  return rule === undefined ? [] : [secretFault(key, value, rule, setCommand(key, file))];
}

/** One name for both accounts would make the one that may push one that may not. The name itself is a secret. */
function ownNameFault(raw: Readonly<Record<string, string>>, settings: SecretSettings): Fault[] {
  const { pullUser } = settings.private ?? {};
  if (pullUser === undefined || raw.registryUser?.toLowerCase() !== pullUser.toLowerCase()) return [];
  const rule =
    "another name than registryUser, also in lower case: the account that may only pull is another one";
  return [{ key: "private.pullUser", value: "(not shown)", rule, example: "reader" }];
}

/** Which of two certificates would be served is not a question to answer by an order of precedence. */
function twoSourcesFault(raw: Readonly<Record<string, string>>, settings: SecretSettings): Fault[] {
  const { host, vault, secretsSource } = settings;
  if (host?.tls === undefined) return [];
  const others = [
    ...["tlsCertificate", "tlsPrivateKey"].filter((key) => raw[key] !== undefined),
    ...(secretsSource !== "vault" || vault?.tls === undefined ? [] : ["vault.tls"]),
  ];
  if (others.length === 0) return [];
  const rule = `the only source of the certificate: ${others.map((key) => `regwarden:${key}`).join(", ")} would be another`;
  return [{ key: "host.tls", value: "(an object)", rule, example: "remove one of them" }];
}

function tlsPairFault(raw: Readonly<Record<string, string>>, hostname: string | undefined): Fault[] {
  const { tlsCertificate, tlsPrivateKey } = raw;
  if (tlsCertificate === undefined || tlsPrivateKey === undefined || hostname === undefined) return [];
  const rule = checkTlsPair(tlsCertificate, tlsPrivateKey, hostname);
  const example = setCommand("tlsPrivateKey", secretKeys.tlsPrivateKey.file);
  return rule === undefined ? [] : [secretFault("tlsPrivateKey", tlsPrivateKey, rule, example)];
}

function contextFault(kubeconfig: string | undefined, context: string | undefined): Fault[] {
  const rule =
    kubeconfig === undefined || context === undefined ? undefined : checkContext(kubeconfig, context);
  if (rule === undefined) return [];
  return [secretFault("kubeconfig", kubeconfig, rule, setCommand("kubeconfig", secretKeys.kubeconfig.file))];
}

function byNameFaults(
  key: string,
  { check, form, owner, reason, isFromVault, file }: SecretsByName,
  text: string | undefined,
  needed: readonly string[] | undefined,
  { secretsSource, vault }: SecretSettings,
): Fault[] {
  const given = text === undefined ? {} : parseTexts(text);
  const example = (name: string) => setCommand(`${key}.${name}`, file);
  if (given === undefined) return [secretFault(key, text, form, example("NAME"))];
  if (needed === undefined) return [];
  const isElsewhere = secretsSource === "vault" && vault !== undefined && isFromVault(vault);
  const missing = (isElsewhere ? [] : needed)
    .filter((name) => given[name] === undefined)
    .map((name) => secretFault(`${key}.${name}`, undefined, `set, as ${reason(name)}`, example(name)));
  const wrong = Object.entries(given).flatMap(([name, value]) => {
    const rule = check(value);
    return rule === undefined ? [] : [secretFault(`${key}.${name}`, value, rule, example(name))];
  });
  const idle = Object.keys(given)
    .filter((name) => !needed.includes(name))
    .map((name) => secretFault(`${key}.${name}`, given[name], `the name of ${owner}`, "remove it"));
  return [...missing, ...wrong, ...idle];
}

/** Texts by name; undefined when the text is not such an object. */
function parseTexts(text: string): Record<string, string> | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.string())), text);
  return parsed.success ? parsed.output : undefined;
}

function secretFault(key: string, value: string | undefined, rule: string, example: string): Fault {
  return { key, value: value === undefined ? "(missing)" : "(not shown)", rule, example };
}

function setCommand(key: string, file?: string): string {
  const secret = key === authorityKey ? "" : "--secret ";
  const path = key.includes(".") ? "--path " : "";
  return `pulumi config set ${secret}${path}regwarden:${key}${file === undefined ? "" : ` < ${file}`}`;
}
