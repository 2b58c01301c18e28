import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LabError } from "../errors.ts";
import { cacheDirectory } from "../paths.ts";
import { run, type StepOptions } from "../run.ts";
import { kubernetesDownload, pluginDownload } from "./downloads.ts";
import { kubeApiServerBuild, kubernetesPluginBuild } from "./go-builds.ts";
import { pulumiBinary, pulumiHome } from "./pulumi.ts";
import { ensureTool, type Tool, withToolLock } from "./tool.ts";
import { fromToolCache, onPath } from "./tool-sources.ts";

const kubernetesVersion = "v1.36.3";

/** That of the npm package @pulumi/kubernetes: the engine looks for the plugin under it. */
const pluginVersion = "4.34.2";
const pluginProgram = "pulumi-resource-kubernetes";

function installation(program: string, version: string): string {
  return join(cacheDirectory(), "tools", `${program}-${version}`);
}

async function checkApiServer(directory: string): Promise<void> {
  const command = [join(directory, "bin/kube-apiserver"), "--version"] as const;
  const { stdout } = await run(command, { quiet: true, timeoutSeconds: 30 });
  if (stdout.trim() === `Kubernetes ${kubernetesVersion}`) return;
  throw new LabError("E_MISSING", `version is "${stdout.trim()}", needed is ${kubernetesVersion}`);
}

/** The first thing that a plugin does is to print the port on which it serves. Source: pulumi docs, provider protocol. */
async function checkPlugin(directory: string): Promise<void> {
  const file = join(directory, "bin", pluginProgram);
  const plugin = spawn(file, ["127.0.0.1:1"], { stdio: ["ignore", "pipe", "ignore"], timeout: 30_000 });
  const port = await new Promise<string>((resolve, reject) => {
    plugin.once("error", reject);
    plugin.once("close", () => resolve(""));
    plugin.stdout.once("data", (data) => resolve(String(data).trim()));
  });
  plugin.kill("SIGKILL");
  if (!/^\d+$/.test(port)) throw new LabError("E_MISSING", `${file} printed "${port}" instead of a port`);
}

function apiServerTool(): Tool {
  const program = "kube-apiserver";
  return {
    program,
    version: kubernetesVersion,
    directory: installation(program, kubernetesVersion),
    sources: [
      onPath(program),
      fromToolCache(program),
      kubernetesDownload(program, kubernetesVersion),
      kubeApiServerBuild(kubernetesVersion),
    ],
    check: checkApiServer,
    hint: `Put kube-apiserver ${kubernetesVersion} on PATH, or install a Go that builds it, and run this again.`,
  };
}

function pluginTool(): Tool {
  return {
    program: pluginProgram,
    version: pluginVersion,
    directory: installation(pluginProgram, pluginVersion),
    sources: [
      onPath(pluginProgram),
      fromToolCache(pluginProgram),
      pluginDownload(pulumiBinary(), "kubernetes", pluginVersion),
      kubernetesPluginBuild(),
    ],
    check: checkPlugin,
    hint: `Put ${pluginProgram} ${pluginVersion} on PATH, or install Go 1.24 or newer, and run this again.`,
  };
}

/** Links the plugin to where the engine expects it. */
async function linkPlugin(): Promise<void> {
  const link = join(pulumiHome(), "plugins", `resource-kubernetes-v${pluginVersion}`, pluginProgram);
  if (existsSync(link)) return;
  await mkdir(dirname(link), { recursive: true });
  await rm(link, { force: true });
  await symlink(join(pluginTool().directory, "bin", pluginProgram), link);
}

/** The API server's program. */
export function apiServerBinary(): string {
  return join(apiServerTool().directory, "bin/kube-apiserver");
}

/** Where the programs of the cluster came from. */
export interface ClusterTools {
  readonly apiServer: string;
  readonly plugin: string;
}

/** Has kube-apiserver and the engine's kubernetes plugin in the cache; the CLI must be there already. */
export async function ensureClusterTools(options: StepOptions = {}): Promise<ClusterTools> {
  return withToolLock(async () => {
    const apiServer = await ensureTool(apiServerTool(), options);
    const plugin = await ensureTool(pluginTool(), options);
    await linkPlugin();
    return { apiServer, plugin };
  });
}
