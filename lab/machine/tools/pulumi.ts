import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../errors.ts";
import { writeAtomically } from "../files.ts";
import { withLock } from "../lock.ts";
import { cacheDirectory, commandPluginProgram, nodeBinary } from "../paths.ts";
import { run, type StepOptions, succeeds } from "../run.ts";
import * as sources from "./tool-sources.ts";

/** The CLI's version: that of the npm package `pulumi`, whose shim looks for it in {@link pulumiHome}. */
const pulumiVersion = "3.250.0";
const commandPluginVersion = "1.2.1";

/** Pulumi's home in the cache: CLI and plugins. */
export function pulumiHome(): string {
  return join(cacheDirectory(), "pulumi-home");
}

/** Directory of the CLI's installation. */
function installation(): string {
  return join(pulumiHome(), "versions", pulumiVersion);
}

/** The Pulumi CLI. */
export function pulumiBinary(): string {
  return join(installation(), "bin/pulumi");
}

async function checkPulumi(directory: string): Promise<void> {
  const env = { PULUMI_SKIP_UPDATE_CHECK: "true", PULUMI_HOME: pulumiHome() };
  const { stdout } = await run([join(directory, "bin/pulumi"), "version"], {
    env,
    quiet: true,
    timeoutSeconds: 30,
  });
  if (stdout.trim() !== `v${pulumiVersion}`) {
    throw new LabError("E_MISSING", `version is ${stdout.trim()}, needed is v${pulumiVersion}`);
  }
}

/** Where the Pulumi CLI may come from, in this order. */
function pulumiSources(): readonly sources.ToolSource[] {
  const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
  const flags = `-s -w -X ${versionVariable}=v${pulumiVersion}`;
  return [
    sources.onPath("pulumi"),
    sources.fromToolCache("pulumi"),
    sources.officialDownload(pulumiVersion),
    sources.fromGoModule("github.com/pulumi/pulumi/pkg/v3", `v${pulumiVersion}`, "pulumi", flags),
  ];
}

async function ensurePulumi(options: StepOptions): Promise<string> {
  const isThere = await checkPulumi(installation()).then(
    () => true,
    () => false,
  );
  if (isThere) return "the lab's own cache";
  return installFromSources(options);
}

async function installFromSources(options: StepOptions): Promise<string> {
  try {
    return await sources.installFrom(pulumiSources(), installation(), checkPulumi, options);
  } catch (error) {
    const hint = `Put Pulumi ${pulumiVersion} on PATH, or install Go 1.24 or newer, and run this again.`;
    throw new LabError("E_UNREACHABLE", `no Pulumi CLI ${pulumiVersion}`, { cause: error, hint });
  }
}

function commandPlugin(): string {
  return join(
    pulumiHome(),
    "plugins",
    `resource-command-v${commandPluginVersion}`,
    "pulumi-resource-command",
  );
}

const launcherMark = "#!/bin/sh\n# Stand-in of the lab for the command plugin.\n";

/** Whether the plugin that is there is the official one and not the lab's launcher. */
function hasRealPlugin(): boolean {
  if (!existsSync(commandPlugin())) return false;
  return !readFileSync(commandPlugin()).subarray(0, 100).toString().startsWith(launcherMark);
}

async function downloadPlugin(options: StepOptions): Promise<boolean> {
  if (!(await sources.downloadReachable())) return false;
  const env = { PULUMI_HOME: pulumiHome(), PULUMI_SKIP_UPDATE_CHECK: "true" };
  const command = [pulumiBinary(), "plugin", "install", "resource", "command", commandPluginVersion] as const;
  return succeeds(command, { ...options, env, timeoutSeconds: 120 });
}

/** The official command plugin where it can be had; else a launcher of the stand-in, which always follows this clone. */
async function ensureCommandPlugin(options: StepOptions): Promise<string> {
  if (hasRealPlugin()) return "official";
  if (!existsSync(commandPlugin()) && (await downloadPlugin(options))) return "official";
  writeAtomically(
    commandPlugin(),
    `${launcherMark}exec '${nodeBinary}' '${commandPluginProgram}' "$@"\n`,
    0o755,
  );
  return "the lab's stand-in";
}

/** Where the parts of the toolchain came from. */
export interface Toolchain {
  readonly pulumi: string;
  readonly commandPlugin: string;
}

/** Has the Pulumi CLI and the command plugin in the cache. */
export async function ensureToolchain(options: StepOptions = {}): Promise<Toolchain> {
  const work = async () => {
    const pulumi = await ensurePulumi(options);
    return { pulumi, commandPlugin: await ensureCommandPlugin(options) };
  };
  return withLock(join(cacheDirectory(), "locks/toolchain"), work, true);
}
