import * as v from "valibot";
import { adoptEntries } from "./adopt.ts";
import { backupEntries } from "./backup.ts";
import { breakGlassEntries } from "./break-glass.ts";
import { clusterEntries, clusterFaults, sitesWithOwnSecret } from "./cluster.ts";
import { collectionEntries } from "./collection.ts";
import { dnsEntries, dnsFaults } from "./dns.ts";
import { driftEntries } from "./drift.ts";
import { type Fault, schemaFault, settingFault } from "./faults.ts";
import { dataMountFaults, hostEntries, hostKeyFaults } from "./host.ts";
import { registryEntries, registryFaults } from "./registry.ts";
import { retentionEntries } from "./retention.ts";
import { type NeededNames, secretEntries, secretFaults, secretKeyNames } from "./secrets.ts";
import { isStructured } from "./setting.ts";
import { vaultEntries, vaultFaults } from "./vault.ts";

/** Everything that may be set and is not a secret: a new key goes into the file of its subject. */
export const settingsSchema = v.strictObject({
  ...hostEntries,
  ...dnsEntries,
  ...registryEntries,
  ...secretEntries,
  ...vaultEntries,
  ...clusterEntries,
  ...driftEntries,
  ...retentionEntries,
  ...collectionEntries,
  ...backupEntries,
  ...breakGlassEntries,
  ...adoptEntries,
});

/** The settings with all defaults filled in. */
export type Settings = v.InferOutput<typeof settingsSchema>;

/** Settings without a fault, or every fault there is. */
export type ParsedSettings =
  | { readonly settings: Readonly<Settings> }
  | { readonly faults: readonly Fault[] };

/**
 * Raw values of the namespace (objects as JSON, the way Pulumi keeps them) to settings.
 * Secrets are checked for presence and form, and left out of the result and of every fault.
 */
export function parseSettings(raw: Readonly<Record<string, string>>): ParsedSettings {
  const { values, faults: jsonFaults } = decode(raw);
  const result = v.safeParse(settingsSchema, values);
  const settings = result.success ? result.output : typedParts(values);
  const schemaFaults = (result.issues ?? []).map((issue) =>
    schemaFault(settingsSchema, issue, secretKeyNames),
  );
  const settingFaults = [...jsonFaults, ...schemaFaults];
  // The certificate can be checked for a proper name only.
  const hasHostname = !settingFaults.some(({ key }) => key.startsWith("registry"));
  const faults = onePerKey([
    ...settingFaults,
    ...crossFaults(settings),
    ...secretFaults(
      raw,
      settings,
      neededNames(settings),
      hasHostname ? settings.registry?.hostname : undefined,
      settings.cluster?.enabled ? settings.cluster.kubeconfigContext : undefined,
    ),
  ]);
  if (faults.length > 0 || !result.success) return { faults };
  return { settings: deepFreeze(result.output) };
}

/** Whose secrets are needed by name: caches with an account, sites with a configuration of their own. */
export function neededNames({ caches, cluster }: Partial<Settings>): NeededNames {
  return {
    cachePasswords: caches?.filter(({ username }) => username !== undefined).map(({ name }) => name),
    driveSyncConfigs: cluster && sitesWithOwnSecret(cluster),
  };
}

/** Rules that join several keys. They see only what the schema found to have the right types. */
function crossFaults(settings: Partial<Settings>): Fault[] {
  const { host, dns, secretsSource, vault, cluster } = settings;
  return [
    ...registryFaults(settings, host?.sshPort),
    ...dataMountFaults(host),
    ...dnsFaults(dns, host?.address),
    ...hostKeyFaults(host, secretsSource !== "config"),
    ...clusterFaults(cluster),
    ...vaultFaults(vault, secretsSource === "vault"),
  ];
}

function decode(raw: Readonly<Record<string, string>>): { values: Record<string, unknown>; faults: Fault[] } {
  const values: Record<string, unknown> = {};
  const faults: Fault[] = [];
  for (const [key, text] of Object.entries(raw)) {
    if (secretKeyNames.includes(key)) continue;
    const schema: v.GenericSchema | undefined = (settingsSchema.entries as v.ObjectEntries)[key];
    try {
      values[key] = schema !== undefined && isStructured(schema) ? JSON.parse(text) : text;
    } catch {
      values[key] = text;
      faults.push(settingFault(settingsSchema, [key], text));
    }
  }
  return { values, faults };
}

/** What has the right types where the configuration as such has not, so that one fault does not hide the next. */
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

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === "object") Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
