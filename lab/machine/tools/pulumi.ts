import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../errors.ts";
import { cacheDirectory } from "../paths.ts";
import { run, type StepOptions } from "../run.ts";
import { pulumiDownload } from "./downloads.ts";
import { pulumiBuild } from "./go-builds.ts";
import { ensureTool, type Tool, withToolLock } from "./tool.ts";
import { fromToolCache, onPath } from "./tool-sources.ts";

/** The CLI's version: that of the npm package `pulumi`, whose shim looks for it in {@link pulumiHome}. */
const pulumiVersion = "3.250.0";

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

/** Has the Pulumi CLI in the cache. Returns where it came from. */
export async function ensurePulumi(options: StepOptions = {}): Promise<string> {
  return withToolLock(async () => {
    const source = await ensureTool(pulumiTool(), options);
    keepNoRunLogs();
    return source;
  });
}

/**
 * The CLI keeps a log of every run with all that resources have: of a deployment of the lab 19 MB, for two seconds of a
 * processor. It has no setting for that, and goes on without where the directory cannot be made.
 * Source: pulumi pkg/logging/encrypted.go, StartLogging.
 */
function keepNoRunLogs(): void {
  const logs = join(pulumiHome(), "logs");
  if (statSync(logs, { throwIfNoEntry: false })?.isFile()) return;
  rmSync(logs, { recursive: true, force: true });
  writeFileSync(logs, "");
}
