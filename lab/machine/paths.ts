import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import type { Instance } from "./instances.ts";

/** The project's root directory. */
export const projectRoot = resolve(import.meta.dirname, "../..");

/** The project's own Node, whatever the machine's is. */
export const nodeBinary = join(projectRoot, "node_modules/.bin/node");

/** Directory of what takes long to make and is the same for every clone and instance: tools, root file system, images. */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), ".cache"), "regwarden");
}

/** Directory of one instance: keys, certificates, account, stack state, logs. */
export function stateDirectory(instance: Instance): string {
  return join(projectRoot, ".lab", instance);
}

/** The environment's PATH with the project's own programs first, as npm scripts see it. */
export function searchPath(environment: NodeJS.ProcessEnv = process.env): string {
  const own = join(projectRoot, "node_modules/.bin");
  const rest = (environment.PATH ?? "")
    .split(delimiter)
    .filter((directory) => directory && directory !== own);
  for (const directory of ["/usr/local/sbin", "/usr/sbin", "/sbin"]) {
    if (!rest.includes(directory)) rest.push(directory);
  }
  return [own, ...rest].join(delimiter);
}

/** Full path of a command, or undefined; system directories count even where PATH lacks them. */
export function findCommand(command: string, path: string = searchPath()): string | undefined {
  return path
    .split(delimiter)
    .map((directory) => join(directory, command))
    .find((candidate) => existsSync(candidate));
}
