import { createWriteStream } from "node:fs";
import { chmod, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { LabError } from "../errors.ts";
import { resolves } from "../network.ts";
import { run } from "../run.ts";
import { downloadReachable, sha256, type ToolSource } from "./tool-sources.ts";

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
      const actual = await sha256(file);
      return actual === expected ? undefined : `checksum is ${actual}, expected ${expected}`;
    },
  };
}

/** A resource plugin by the CLI's own installer, which checks what it downloads. */
export function pluginDownload(pulumi: string, plugin: string, version: string): ToolSource {
  return {
    name: "official download",
    put: async (directory, options) => {
      if (!(await downloadReachable())) return "the CLI's download cannot be reached";
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
