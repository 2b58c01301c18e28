import * as pulumi from "@pulumi/pulumi";
import { faultsText } from "./faults.ts";
import { registryWarnings } from "./registry.ts";
import { authorityKey, secretKeys, secretsByName } from "./secrets.ts";
import { neededNames, parseSettings, type Settings } from "./settings.ts";
import { agentFaults } from "./ssh-agent.ts";

const NAMESPACE = "regwarden";

type Secrets<Keys extends string> = Readonly<Record<Keys, pulumi.Output<string> | undefined>>;

/** Secrets that lie in the Pulumi configuration. Which of them are there was checked with the settings. */
type ConfigSecrets = Secrets<keyof typeof secretKeys> & {
  /** PEM text of a private authority; no secret. */
  readonly tlsAuthority: string | undefined;
} & Readonly<Record<keyof typeof secretsByName, Readonly<Record<string, pulumi.Output<string>>>>>;

/** The whole configuration, frozen. */
export interface Config extends Readonly<Settings> {
  readonly secrets: ConfigSecrets;
}

/** Reads the configuration of the running stack. Throws one error that lists all faults. */
export function readConfig(): Config {
  const raw = namespaceValues(pulumi.runtime.allConfig());
  const parsed = parseSettings(raw);
  if ("faults" in parsed) throw new pulumi.RunError(faultsText(parsed.faults));
  const faults = agentFaults({
    configured: parsed.settings.host.agentSocketPath,
    inherited: process.env.SSH_AUTH_SOCK,
    hasKey: raw.sshPrivateKey !== undefined || parsed.settings.secretsSource === "vault",
  });
  if (faults.length > 0) throw new pulumi.RunError(faultsText(faults));
  for (const warning of registryWarnings(parsed.settings)) void pulumi.log.warn(warning);
  return Object.freeze({ ...parsed.settings, secrets: readSecretOutputs(parsed.settings) });
}

function namespaceValues(all: Readonly<Record<string, string>>): Record<string, string> {
  const prefix = `${NAMESPACE}:`;
  const own = Object.entries(all).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

function readSecretOutputs(settings: Readonly<Settings>): ConfigSecrets {
  const config = new pulumi.Config(NAMESPACE);
  const names = neededNames(settings);
  return Object.freeze({
    ...recordOf(secretKeys, (key) => config.getSecret(key)),
    ...recordOf(secretsByName, (key) => readByName(config, key, names[key] ?? [])),
    tlsAuthority: config.get(authorityKey),
  });
}

function readByName(
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

/** An object with the keys of another. */
function recordOf<Key extends string, Value>(
  table: Readonly<Record<Key, unknown>>,
  read: (key: Key) => Value,
): Record<Key, Value> {
  const entries = (Object.keys(table) as Key[]).map((key) => [key, read(key)] as const);
  return Object.fromEntries(entries) as Record<Key, Value>;
}
