import { registryContainer } from "../../contract/host-names.ts";
import { privateRegistry } from "../../contract/registries.ts";
import type { LabHost } from "../host/host.ts";
import { LabError } from "../machine/errors.ts";
import type { StepOptions } from "../machine/run.ts";

/**
 * The damage, as an operator types it on the host. No restart follows: the private registry has no cache of blob
 * descriptors, so it stops serving deleted blobs at once.
 */
export const damageCommand = `docker exec ${registryContainer(privateRegistry)} registry garbage-collect -m /etc/docker/registry/config.yml`;

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

/** Runs the real collection that loses the children of tagged image indexes. */
export async function damage(host: LabHost, options: StepOptions = {}): Promise<Collected> {
  const settings = { ...options, quiet: true, timeoutSeconds: 120 };
  const { stdout, stderr, exitCode } = await host.exec(damageCommand, settings);
  if (exitCode === 0) return collected(`${stdout}\n${stderr}`);
  throw new LabError(
    "E_COMMAND_FAILED",
    `"${damageCommand}" failed on the host: ${stderr.trim().slice(-300)}`,
  );
}
