import type { Instance } from "../machine/instances.ts";
import { projectRoot } from "../machine/paths.ts";
import { type RunResult, run, type StepOptions } from "../machine/run.ts";
import { pulumiBinary } from "../machine/tools/pulumi.ts";
import type { ConfigurationValue, StackConfiguration } from "./configuration.ts";
import { pulumiEnvironment, writePulumiEnvironment } from "./environment.ts";

interface PulumiOptions extends StepOptions {
  readonly input?: string;
}

async function pulumi(
  instance: Instance,
  args: readonly string[],
  options: PulumiOptions,
): Promise<RunResult> {
  const settings = { cwd: projectRoot, env: pulumiEnvironment(instance), timeoutSeconds: 120 };
  return run([pulumiBinary(), ...args, "--non-interactive"], { ...options, ...settings });
}

/** Values of the configuration as `pulumi config --json` prints them, by key without the namespace. */
async function currentValues(instance: Instance, options: StepOptions): Promise<Map<string, unknown>> {
  const args = ["config", "--stack", instance, "--json", "--show-secrets"];
  const { stdout } = await pulumi(instance, args, { ...options, reporter: { say: () => undefined } });
  const entries = Object.entries(JSON.parse(stdout) as Record<string, CurrentValue>);
  return new Map(
    entries.map(([key, { value, objectValue }]) => [key.split(":")[1] ?? key, objectValue ?? value]),
  );
}

interface CurrentValue {
  readonly value?: string;
  readonly objectValue?: unknown;
}

/** The part of a value that a path such as `caches[1].port` names. */
export function valueAt(values: ReadonlyMap<string, unknown>, path: string): string | undefined {
  const [first = "", ...rest] = path.replaceAll("[", ".").replaceAll("]", "").split(".");
  const found = rest.reduce<unknown>(
    (value, part) => (value as Record<string, unknown> | undefined)?.[part],
    values.get(first),
  );
  return found === undefined ? undefined : String(found);
}

function isSet(values: ReadonlyMap<string, unknown>, path: string, wanted: ConfigurationValue): boolean {
  return valueAt(values, path)?.trimEnd() === wanted.value.trimEnd();
}

/** Sets what differs: plain values with one command, secrets one by one over standard input, never as arguments. */
async function setValues(
  instance: Instance,
  wanted: StackConfiguration,
  options: StepOptions,
): Promise<number> {
  const current = await currentValues(instance, options);
  const missing = Object.entries(wanted).filter(([path, value]) => !isSet(current, path, value));
  const plain = missing.filter(([, { secret }]) => !secret);
  const flags = plain.flatMap(([path, { value }]) => ["--plaintext", `${path}=${value}`]);
  if (plain.length > 0)
    await pulumi(instance, ["config", "set-all", "--stack", instance, "--path", ...flags], options);
  for (const [key, { value, secret }] of missing) {
    if (!secret) continue;
    await pulumi(instance, ["config", "set", "--stack", instance, "--secret", key], {
      ...options,
      input: value,
    });
  }
  return missing.length;
}

/** Has the stack with this configuration. Returns the number of values that had to be set. */
export async function configureStack(
  instance: Instance,
  configuration: StackConfiguration,
  options: StepOptions = {},
): Promise<number> {
  writePulumiEnvironment(instance);
  const select = ["stack", "select", "--create", "--stack", instance, "--secrets-provider", "passphrase"];
  await pulumi(instance, select, options);
  return setValues(instance, configuration, options);
}
