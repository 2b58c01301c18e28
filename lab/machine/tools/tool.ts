import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LabError, messageOf } from "../errors.ts";
import { withLock } from "../lock.ts";
import { cacheDirectory } from "../paths.ts";
import type { StepOptions } from "../run.ts";

/** A program that the lab installs into its cache. */
export interface Tool {
  readonly program: string;
  readonly version: string;
  /** Where it is installed; the program is `bin/PROGRAM` in it. */
  readonly directory: string;
  /** In the order in which they are tried. */
  readonly sources: readonly ToolSource[];
  readonly check: ToolCheck;
  /** What a person can do when no source has it. */
  readonly hint: string;
}

/** One source that a program may come from. */
export interface ToolSource {
  readonly name: string;
  /** Puts `bin/PROGRAM` below the directory; the text is the reason why it could not. */
  put(directory: string, options: StepOptions): Promise<string | undefined>;
}

/** Checks a finished directory; throws with the reason why it is no good. */
export type ToolCheck = (directory: string) => Promise<void>;

async function attempt(source: ToolSource, directory: string, check: ToolCheck, options: StepOptions) {
  await rm(directory, { recursive: true, force: true });
  await mkdir(join(directory, "bin"), { recursive: true });
  try {
    const reason = await source.put(directory, options);
    if (reason !== undefined) return reason;
    await check(directory);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * Installs a program from the first source that has a good one: into a directory beside `target`, renamed when complete.
 * Returns the source's name. Errors: E_UNREACHABLE with the reason of each source.
 */
export async function installFrom(
  sources: readonly ToolSource[],
  target: string,
  check: ToolCheck,
  options: StepOptions = {},
): Promise<string> {
  const reasons: string[] = [];
  const beside = `${target}.new`;
  for (const source of sources) {
    const reason = await attempt(source, beside, check, options);
    options.reporter?.say(`${source.name}: ${reason ?? "taken"}`);
    if (reason === undefined) {
      await rm(target, { recursive: true, force: true });
      await rename(beside, target);
      return source.name;
    }
    reasons.push(`${source.name}: ${reason}`);
  }
  await rm(beside, { recursive: true, force: true });
  throw new LabError("E_UNREACHABLE", `no source has ${target}\n${reasons.join("\n")}`);
}

/** Has a tool installed. Returns where it comes from. Errors: E_UNREACHABLE where no source has it. */
export async function ensureTool(tool: Tool, options: StepOptions): Promise<string> {
  const { program, version, directory, sources, check, hint } = tool;
  const isInstalled = await check(directory).then(
    () => true,
    () => false,
  );
  if (isInstalled) return "the lab's own cache";
  await mkdir(dirname(directory), { recursive: true });
  try {
    return await installFrom(sources, directory, check, options);
  } catch (cause) {
    throw new LabError("E_UNREACHABLE", `no ${program} ${version}`, { cause, hint });
  }
}

/** Tools are installed by one run at a time, whichever clone it comes from: the cache is the machine's. */
export async function withToolLock<T>(work: () => Promise<T>): Promise<T> {
  return withLock(join(cacheDirectory(), "locks/toolchain"), work, true);
}
