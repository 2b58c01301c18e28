import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { LabHost } from "../host/host.ts";
import { readText, writeAtomically } from "../machine/files.ts";
import type { Instance } from "../machine/instances.ts";
import { nodeBinary, projectRoot } from "../machine/paths.ts";
import { type RunResult, run, type StepOptions, waitUntil } from "../machine/run.ts";
import { pulumiBinary } from "../machine/tools/pulumi.ts";
import {
  type ConfigurationValue,
  pulumiEnvironment,
  type StackConfiguration,
  stackStateDirectory,
  writePulumiEnvironment,
} from "./configuration.ts";

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

/** Values of the configuration as `pulumi config --json` tells them, by key without the namespace. */
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

/**
 * Throws the stack's state away when the host that it describes is gone. Its files would be found missing and made
 * again, but not what one-shot commands have done there. Gives whether there was something to throw away.
 */
export async function forgetLostHost(instance: Instance, host: LabHost): Promise<boolean> {
  const { stdout } = await host.exec("cat /etc/machine-id", { quiet: true, timeoutSeconds: 20 });
  const file = join(stackStateDirectory(instance), "machine-id");
  const known = readText(file);
  if (known === stdout.trim()) return false;
  await rm(stackStateDirectory(instance), { recursive: true, force: true });
  writeAtomically(file, stdout);
  return known !== undefined;
}

/** Has the stack with this configuration. Gives the number of values that had to be set. */
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

/** In the environment of every process of a deployment that the lab starts. */
const deploymentMark = "REGWARDEN_LAB_DEPLOYMENT";

/** Processes of the instance's deployments: engine, CLI, plugins. */
function deploymentProcesses(instance: Instance): number[] {
  const mark = `${deploymentMark}=${instance}\0`;
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.filter((pid) => pid !== process.pid && procFile(pid, "environ").includes(mark));
}

/** Text of a file about a process; empty when it has ended or belongs to somebody else. */
function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has just ended by itself.
    }
  }
}

/**
 * Ends a deployment that a killed run left behind; whoever calls this holds the instance's lock, so there is no other.
 * The CLI is asked first, so that it writes down what it has done. A lock that it still leaves is one of a process that
 * is gone, and the project's engine takes such a one away.
 */
export async function endOrphanedDeployment(instance: Instance, options: StepOptions = {}): Promise<void> {
  const clis = () =>
    deploymentProcesses(instance).filter((pid) => procFile(pid, "cmdline").startsWith(pulumiBinary()));
  if (deploymentProcesses(instance).length === 0) return;
  options.reporter?.say("ending the deployment that an earlier run left");
  signal(clis(), "SIGINT");
  await waitUntil("the end of the CLI", 60, async () => clis().length === 0).catch(() => undefined);
  signal(deploymentProcesses(instance), "SIGKILL");
}

/** What the engine says at its end has happened to the resources, on one line. */
export function changesIn(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  const start = lines.lastIndexOf("Resources:") + 1;
  if (start === 0) return "";
  const end = lines.indexOf("", start);
  return lines.slice(start, end === -1 ? undefined : end).join(", ");
}

/** Brings the stack up by the project's own engine. Gives what has changed. */
export async function deploy(instance: Instance, options: StepOptions = {}): Promise<string> {
  const command = [nodeBinary, "engine/main.ts", "up", "--stack", instance, "--yes"] as const;
  const env = { ...pulumiEnvironment(instance), [deploymentMark]: instance };
  const settings = { cwd: projectRoot, env, timeoutSeconds: 1800, dieWithParent: true };
  const { stdout } = await run(command, { ...options, ...settings });
  return changesIn(stdout);
}
