import { registryContainer } from "../../contract/host-names.ts";
import { privateRegistry } from "../../contract/registries.ts";
import type { LabHost } from "../host/host.ts";
import { LabError } from "../machine/errors.ts";
import type { StepOptions } from "../machine/run.ts";
import { waitUntil } from "../machine/wait.ts";

const container = registryContainer(privateRegistry);

/** Container commands of the damage, as they are typed on the host. */
export const damageCommands = [
  `docker exec ${container} registry garbage-collect -m /etc/docker/registry/config.yml`,
  `docker restart ${container}`,
] as const;

/** Counts of what a collection deleted. */
export interface Collected {
  readonly manifests: number;
  readonly blobs: number;
}

/** Counts in the output of distribution 2.8.3. Source: registry/storage/garbagecollect.go. */
export function collected(output: string): Collected {
  const count = (pattern: RegExp) => [...output.matchAll(pattern)].length;
  return {
    manifests: count(/^manifest eligible for deletion: /gm),
    blobs: count(/^blob eligible for deletion: /gm),
  };
}

async function exec(host: LabHost, command: string, options: StepOptions): Promise<string> {
  const settings = { ...options, quiet: true, timeoutSeconds: 120 };
  const { stdout, stderr, exitCode } = await host.exec(command, settings);
  if (exitCode === 0) return `${stdout}\n${stderr}`;
  throw new LabError("E_COMMAND_FAILED", `"${command}" failed on the host: ${stderr.trim().slice(-300)}`);
}

/** Restarts the private registry, so that its cache of blob descriptors no longer has deleted blobs, and waits for it. */
async function restart(host: LabHost, options: StepOptions): Promise<void> {
  await exec(host, damageCommands[1], options);
  const format = "{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}";
  const inspect = `docker container inspect --format '${format}' ${container}`;
  const isUp = async () => ["healthy", "running"].includes((await exec(host, inspect, options)).trim());
  await waitUntil(`${container} after its restart`, 60, isUp, 1000);
}

/** Runs the real collection that loses the children of tagged image indexes. */
export async function damage(host: LabHost, options: StepOptions = {}): Promise<Collected> {
  const output = await exec(host, damageCommands[0], options);
  await restart(host, options);
  return collected(output);
}
