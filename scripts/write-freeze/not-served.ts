import { readdirSync, readFileSync, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { ProgramError } from "../cli/errors.ts";

/**
 * Refuses stores that a registry of this machine serves, as far as processes can be seen here: those of other containers
 * are not, where this program runs in one.
 *
 * Errors: E_CONFIGURATION with the process; those of the file system for a store that is missing.
 */
export async function requireNotServed(dataDirectories: readonly string[]): Promise<void> {
  const served = new Map<string, string>();
  for (const { pid, root } of registryProcesses()) {
    const place = identityOf(`/proc/${pid}/root${root}`);
    if (place !== undefined) served.set(place, `process ${pid}`);
  }
  for (const path of dataDirectories) {
    const { dev, ino } = await stat(path);
    const server = served.get(`${dev} ${ino}`);
    if (server !== undefined)
      throw new ProgramError(
        "E_CONFIGURATION",
        `${path} is served by a registry, ${server}, so nothing was changed. Stop it, or hold writes by --freeze and --freeze-status instead of --offline.`,
      );
  }
}

interface RegistryProcess {
  readonly pid: number;
  /** Its data directory, as it sees it. */
  readonly root: string;
}

/** Where distribution keeps its data without a word about it, as in its image. */
const usualRoot = "/var/lib/registry";

function registryProcesses(): readonly RegistryProcess[] {
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    const [program = "", verb = "", config = ""] = wordsOf(`/proc/${pid}/cmdline`);
    if (!["registry", "docker-registry"].includes(basename(program)) || verb !== "serve") return [];
    return [{ pid, root: rootOf(pid, config) }];
  });
}

/** Source: distribution v2.8.3, configuration/configuration.go: the environment overrides the file. */
function rootOf(pid: number, config: string): string {
  const variable = "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=";
  const given = wordsOf(`/proc/${pid}/environ`).find((word) => word.startsWith(variable));
  if (given !== undefined) return given.slice(variable.length);
  const path = config.startsWith("/") ? `root${config}` : `cwd/${config}`;
  const line = /^\s*rootdirectory:\s*["']?([^"'#\s]+)/m.exec(textOf(join(`/proc/${pid}`, path)));
  return line?.[1] ?? usualRoot;
}

function wordsOf(path: string): readonly string[] {
  return textOf(path).split("\0");
}

/** Empty for what is gone, or not for this user to see. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}
