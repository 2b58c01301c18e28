import { defaultDirectory, hostPaths } from "../../contract/host-paths.ts";
import { privateRegistry } from "../../contract/registries.ts";
import type { LabHost } from "../host/host.ts";
import { LabError } from "../machine/errors.ts";

/** Every file of a store by its path: its size in bytes, and the sha256 of its content. */
export type StoreTree = ReadonlyMap<string, string>;

const store = `${hostPaths(defaultDirectory).registryData(privateRegistry)}/docker`;

const storeTreeCommand = `find ${store} -type f -printf '%s %p\\n'; find ${store} -type f -exec sha256sum {} +`;

/** Reads the whole store of the private registry. Errors: E_COMMAND_FAILED. */
export async function readStoreTree(host: LabHost): Promise<StoreTree> {
  const { exitCode, stdout, stderr } = await host.exec(storeTreeCommand, {
    quiet: true,
    timeoutSeconds: 120,
  });
  if (exitCode === 0) return parseStoreTree(stdout);
  throw new LabError("E_COMMAND_FAILED", `the store could not be read: ${stderr.trim().slice(-300)}`);
}

/** A file has two lines, `SIZE PATH` and `SHA256  PATH`, in whichever order. */
export function parseStoreTree(output: string): StoreTree {
  const sizes = new Map<string, string>();
  const digests = new Map<string, string>();
  for (const line of output.split("\n")) {
    const [, digest, size, path = ""] = /^(?:([0-9a-f]{64}) {2}|(\d+) )(.+)$/.exec(line) ?? [];
    if (digest !== undefined) digests.set(path, digest);
    if (size !== undefined) sizes.set(path, size);
  }
  return new Map([...digests].map(([path, digest]) => [path, `${sizes.get(path)} bytes, ${digest}`]));
}

/** Paths that only one of both has, or that differ. */
export function differencesOf(left: StoreTree, right: StoreTree): readonly string[] {
  const paths = new Set([...left.keys(), ...right.keys()]);
  return [...paths].filter((path) => left.get(path) !== right.get(path)).sort();
}
