import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureStandIn } from "../command-plugin/bundle.ts";
import { LabError } from "../errors.ts";
import { writeAtomically } from "../files.ts";
import { cacheDirectory } from "../paths.ts";
import { run, type StepOptions, succeeds } from "../run.ts";
import { pulumiDownload, pulumiDownloadReachable } from "./downloads.ts";
import { pulumiBuild } from "./go-builds.ts";
import { ensureTool, type Tool, withToolLock } from "./tool.ts";
import { fromToolCache, onPath } from "./tool-sources.ts";

/** The CLI's version: that of the npm package `pulumi`, whose shim looks for it in {@link pulumiHome}. */
const pulumiVersion = "3.250.0";
const commandPluginVersion = "1.2.1";

/** Pulumi's home in the cache: CLI and plugins. */
export function pulumiHome(): string {
  return join(cacheDirectory(), "pulumi-home");
}

function pulumiTool(): Tool {
  return {
    program: "pulumi",
    version: pulumiVersion,
    directory: join(pulumiHome(), "versions", pulumiVersion),
    sources: [
      onPath("pulumi"),
      fromToolCache("pulumi"),
      pulumiDownload(pulumiVersion),
      pulumiBuild(pulumiVersion),
    ],
    check: checkPulumi,
    hint: `Put Pulumi ${pulumiVersion} on PATH, or install Go 1.24 or newer, and run this again.`,
  };
}

/** The Pulumi CLI. */
export function pulumiBinary(): string {
  return join(pulumiTool().directory, "bin/pulumi");
}

async function checkPulumi(directory: string): Promise<void> {
  const env = { PULUMI_SKIP_UPDATE_CHECK: "true", PULUMI_HOME: pulumiHome() };
  const command = [join(directory, "bin/pulumi"), "version"] as const;
  const { stdout } = await run(command, { env, quiet: true, timeoutSeconds: 30 });
  if (stdout.trim() === `v${pulumiVersion}`) return;
  throw new LabError("E_MISSING", `version is ${stdout.trim()}, needed is v${pulumiVersion}`);
}

const launcherMark = "#!/bin/sh\n# Stand-in of the lab for the command plugin.\n";

function commandPlugin(): string {
  const directory = `resource-command-v${commandPluginVersion}`;
  return join(pulumiHome(), "plugins", directory, "pulumi-resource-command");
}

/** Whether the plugin that is installed is the official one and not the lab's launcher. */
function hasOfficialPlugin(): boolean {
  if (!existsSync(commandPlugin())) return false;
  return !readFileSync(commandPlugin()).subarray(0, 100).toString().startsWith(launcherMark);
}

async function downloadPlugin(options: StepOptions): Promise<boolean> {
  if (!(await pulumiDownloadReachable())) return false;
  const env = { PULUMI_HOME: pulumiHome(), PULUMI_SKIP_UPDATE_CHECK: "true" };
  const command = [pulumiBinary(), "plugin", "install", "resource", "command", commandPluginVersion] as const;
  return succeeds(command, { ...options, env, timeoutSeconds: 120 });
}

/** The official command plugin where it can be downloaded; else a launcher of this clone's stand-in. */
async function ensureCommandPlugin(options: StepOptions): Promise<string> {
  if (hasOfficialPlugin()) return "official";
  if (!existsSync(commandPlugin()) && (await downloadPlugin(options))) return "official";
  const { node, program } = await ensureStandIn();
  writeAtomically(commandPlugin(), `${launcherMark}exec '${node}' '${program}' "$@"\n`, 0o755);
  return "the lab's stand-in";
}

/** Where the engine's programs came from. */
export interface PulumiTools {
  readonly pulumi: string;
  readonly commandPlugin: string;
}

/** Has the Pulumi CLI in the cache. Returns its source. */
export async function ensurePulumiCli(options: StepOptions = {}): Promise<string> {
  return withToolLock(() => ensureTool(pulumiTool(), options));
}

/** Has the Pulumi CLI and the command plugin in the cache. */
export async function ensurePulumi(options: StepOptions = {}): Promise<PulumiTools> {
  return withToolLock(async () => {
    const pulumi = await ensureTool(pulumiTool(), options);
    return { pulumi, commandPlugin: await ensureCommandPlugin(options) };
  });
}
