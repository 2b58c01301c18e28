import { createWriteStream } from "node:fs";
import { chmod, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { LabError } from "../errors.ts";
import { sha256Of } from "../files.ts";
import { resolves } from "../network.ts";
import { nodeBinary, projectRoot } from "../paths.ts";
import { run } from "../run.ts";
import type { ToolSource } from "./tool.ts";

const pulumiHost = "get.pulumi.com";

/** Whether the official download can be reached at all: one short request before a long one. */
export async function pulumiDownloadReachable(): Promise<boolean> {
  if (!(await resolves(pulumiHost))) return false;
  const answer = fetch(`https://${pulumiHost}`, { method: "HEAD", signal: AbortSignal.timeout(20_000) });
  return answer.then(
    () => true,
    () => false,
  );
}

/** The official download of the Pulumi CLI, by the npm package's own shim. */
export function pulumiDownload(version: string): ToolSource {
  return {
    name: "official download",
    put: async (directory, options) => {
      if (!(await pulumiDownloadReachable())) return `${pulumiHost} cannot be reached`;
      const home = join(directory, "home");
      const shim = join(projectRoot, "node_modules/pulumi/run.js");
      const env = { PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" };
      await run([nodeBinary, shim, "version"], { ...options, env, timeoutSeconds: 600, dieWithParent: true });
      await rm(join(directory, "bin"), { recursive: true });
      await rename(join(home, "versions", version, "bin"), join(directory, "bin"));
      await rm(home, { recursive: true, force: true });
      return undefined;
    },
  };
}

const kubernetesHost = "dl.k8s.io";
const goArchitectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

async function get(url: string, limitSeconds: number): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(limitSeconds * 1000) });
  if (response.ok) return response;
  throw new LabError("E_UNREACHABLE", `${url} answers ${response.status}`);
}

async function save(url: string, file: string): Promise<void> {
  const { body } = await get(url, 300);
  if (body === null) throw new LabError("E_UNREACHABLE", `${url} has no content`);
  await pipeline(Readable.fromWeb(body), createWriteStream(file, { mode: 0o755 }));
}

/** The Kubernetes project's own download, with its checksum. */
export function kubernetesDownload(program: string, version: string): ToolSource {
  return {
    name: "official download",
    put: async (directory) => {
      if (!(await resolves(kubernetesHost))) return `${kubernetesHost} cannot be reached`;
      const architecture = goArchitectures[process.arch] ?? process.arch;
      const url = `https://${kubernetesHost}/${version}/bin/linux/${architecture}/${program}`;
      const expected = (await (await get(`${url}.sha256`, 20)).text()).trim();
      const file = join(directory, "bin", program);
      await save(url, file);
      const actual = await sha256Of(file);
      return actual === expected ? undefined : `checksum is ${actual}, expected ${expected}`;
    },
  };
}

/** A resource plugin by the CLI's own installer, which checks what it downloads. */
export function pluginDownload(pulumi: string, plugin: string, version: string): ToolSource {
  return {
    name: "official download",
    put: async (directory, options) => {
      if (!(await pulumiDownloadReachable())) return `${pulumiHost} cannot be reached`;
      const home = join(directory, "home");
      const env = { PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" };
      const command = [pulumi, "plugin", "install", "resource", plugin, version] as const;
      await run(command, { ...options, env, timeoutSeconds: 300, dieWithParent: true });
      const program = `pulumi-resource-${plugin}`;
      const installed = join(home, "plugins", `resource-${plugin}-v${version}`, program);
      await rename(installed, join(directory, "bin", program));
      await chmod(join(directory, "bin", program), 0o755);
      await rm(home, { recursive: true, force: true });
      return undefined;
    },
  };
}
