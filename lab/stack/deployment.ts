import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { LabHost } from "../host/host.ts";
import { readText, writeAtomically } from "../machine/files.ts";
import type { Instance } from "../machine/instances.ts";
import { nodeBinary, projectRoot } from "../machine/paths.ts";
import { run, type StepOptions } from "../machine/run.ts";
import { pulumiBinary } from "../machine/tools/pulumi.ts";
import { waitUntil } from "../machine/wait.ts";
import { pulumiEnvironment, stackStateDirectory } from "./environment.ts";

/**
 * Removes the stack's state when the host that it describes is gone. A deployment would find the host's files missing
 * and write them again, but not repeat what one-shot commands have done there. Returns whether there was such a state.
 */
export async function discardStateOfOtherHost(instance: Instance, host: LabHost): Promise<boolean> {
  const { stdout } = await host.exec("cat /etc/machine-id", { quiet: true, timeoutSeconds: 20 });
  const file = join(stackStateDirectory(instance), "machine-id");
  const known = readText(file);
  if (known === stdout.trim()) return false;
  await rm(stackStateDirectory(instance), { recursive: true, force: true });
  writeAtomically(file, stdout);
  return known !== undefined;
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

/** Text of a file about a process; empty when it has ended or belongs to another user. */
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
 * Ends a deployment that a killed run left behind; the caller holds the instance's lock, so there is no other. The CLI
 * is interrupted first, so that it records what it has done. If it leaves a lock all the same, the lock's process is
 * gone, and the project's engine removes such a lock.
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

/** The resources that changed, from the summary at the end of the engine's output, on one line. */
export function changesIn(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  const start = lines.lastIndexOf("Resources:") + 1;
  if (start === 0) return "";
  const end = lines.indexOf("", start);
  return lines.slice(start, end === -1 ? undefined : end).join(", ");
}

/** Brings the stack up by the project's own engine. Returns what has changed. */
export async function deploy(instance: Instance, options: StepOptions = {}): Promise<string> {
  const command = [nodeBinary, "engine/main.ts", "up", "--stack", instance, "--yes"] as const;
  const env = { ...pulumiEnvironment(instance), [deploymentMark]: instance };
  const settings = { cwd: projectRoot, env, timeoutSeconds: 1800, dieWithParent: true };
  const { stdout } = await run(command, { ...options, ...settings });
  return changesIn(stdout);
}
