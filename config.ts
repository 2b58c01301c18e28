import * as pulumi from "@pulumi/pulumi";
import * as v from "valibot";
import { crossFaults } from "./config/checks.ts";
import { sitesWithOwnSecret } from "./config/drive-sync-secrets.ts";
import { type Fault, faultsText, schemaFault, settingFault } from "./config/faults.ts";
import {
  AUTHORITY_KEY,
  SECRET_KEYS,
  type Settings,
  STRUCTURED_KEYS,
  settingsSchema,
} from "./config/schema.ts";
import { secretFaults } from "./config/secrets-present.ts";

const NAMESPACE = "regwarden";

/** Secrets that lie in the Pulumi configuration. Which of them are there was checked at the door. */
interface ConfigSecrets {
  readonly sshPrivateKey?: pulumi.Output<string> | undefined;
  readonly registryUser?: pulumi.Output<string> | undefined;
  readonly registryPassword?: pulumi.Output<string> | undefined;
  readonly tlsCertificate?: pulumi.Output<string> | undefined;
  readonly tlsPrivateKey?: pulumi.Output<string> | undefined;
  /** PEM text of a private authority; no secret. */
  readonly tlsAuthority?: string | undefined;
  /** By cache name. */
  readonly cachePasswords: Readonly<Record<string, pulumi.Output<string>>>;
  /** Configuration of rclone by site. */
  readonly driveSyncConfigs: Readonly<Record<string, pulumi.Output<string>>>;
}

/** The whole configuration, frozen. */
export interface Config extends Readonly<Settings> {
  readonly secrets: ConfigSecrets;
}

/** Settings without a fault, or every fault there is. */
export type ParsedConfig = { readonly config: Readonly<Settings> } | { readonly faults: readonly Fault[] };

/** Reads the configuration of the running stack. Throws one error that lists all faults. */
export function readConfig(): Config {
  const raw = namespaceValues(pulumi.runtime.allConfig());
  const parsed = parseConfig(raw);
  if ("faults" in parsed) throw new pulumi.RunError(faultsText(parsed.faults));
  return Object.freeze({ ...parsed.config, secrets: readSecretOutputs(parsed.config) });
}

/**
 * Raw values of the namespace (objects as JSON, the way Pulumi keeps them) to settings.
 * Secrets are looked at, for presence and form, and left out of the result and of every fault.
 */
export function parseConfig(raw: Readonly<Record<string, string>>): ParsedConfig {
  const { values, faults: jsonFaults } = decode(raw);
  const result = v.safeParse(settingsSchema, values);
  const settings = result.success ? result.output : typedParts(values);
  const settingFaults = [...jsonFaults, ...(result.issues ?? []).map(schemaFault)];
  // Whether the certificate names the host can be asked of a proper name only.
  const hostname = settingFaults.some(({ key }) => key.startsWith("registry"))
    ? undefined
    : settings.registry?.hostname;
  const faults = onePerKey([
    ...settingFaults,
    ...crossFaults(settings),
    ...secretFaults(raw, settings, hostname),
  ]);
  if (faults.length > 0 || !result.success) return { faults };
  return { config: deepFreeze(result.output) };
}

function namespaceValues(all: Readonly<Record<string, string>>): Record<string, string> {
  const prefix = `${NAMESPACE}:`;
  const own = Object.entries(all).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

function decode(raw: Readonly<Record<string, string>>): { values: Record<string, unknown>; faults: Fault[] } {
  const handledElsewhere: readonly string[] = [...SECRET_KEYS, AUTHORITY_KEY];
  const values: Record<string, unknown> = {};
  const faults: Fault[] = [];
  for (const [key, text] of Object.entries(raw)) {
    if (handledElsewhere.includes(key)) continue;
    try {
      values[key] = STRUCTURED_KEYS.has(key) ? JSON.parse(text) : text;
    } catch {
      values[key] = text;
      faults.push(settingFault(key, text));
    }
  }
  return { values, faults };
}

/** What has the right types where the whole has not, so that one fault does not hide the next. */
function typedParts(values: Record<string, unknown>): Partial<Settings> {
  const parts = Object.entries(settingsSchema.entries).map(([key, schema]) => {
    const result = v.safeParse(schema as v.GenericSchema, values[key]);
    return [key, result.typed ? result.output : undefined];
  });
  return Object.fromEntries(parts.filter(([, value]) => value !== undefined));
}

function onePerKey(faults: readonly Fault[]): Fault[] {
  return faults.filter(({ key }, at) => faults.findIndex((other) => other.key === key) === at);
}

function readSecretOutputs(settings: Readonly<Settings>): ConfigSecrets {
  const config = new pulumi.Config(NAMESPACE);
  const accounts = settings.caches.filter(({ username }) => username !== undefined).map(({ name }) => name);
  return Object.freeze({
    sshPrivateKey: config.getSecret("sshPrivateKey"),
    registryUser: config.getSecret("registryUser"),
    registryPassword: config.getSecret("registryPassword"),
    tlsCertificate: config.getSecret("tlsCertificate"),
    tlsPrivateKey: config.getSecret("tlsPrivateKey"),
    tlsAuthority: config.get(AUTHORITY_KEY),
    cachePasswords: secretsByName(config, "cachePasswords", accounts),
    driveSyncConfigs: secretsByName(config, "driveSyncConfigs", sitesWithOwnSecret(settings)),
  });
}

function secretsByName(
  config: pulumi.Config,
  key: string,
  names: readonly string[],
): Readonly<Record<string, pulumi.Output<string>>> {
  const values = config.getSecretObject<Record<string, string>>(key);
  if (values === undefined) return Object.freeze({});
  return Object.freeze(
    Object.fromEntries(names.map((name) => [name, values.apply((all) => all[name] ?? "")])),
  );
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === "object") Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
