import { createHash } from "node:crypto";
import { createReadStream, existsSync, realpathSync } from "node:fs";
import { chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { LabError, messageOf } from "../errors.ts";
import { readText } from "../files.ts";
import { resolves } from "../network.ts";
import { findCommand, nodeBinary, projectRoot, searchPath } from "../paths.ts";
import { run, type StepOptions } from "../run.ts";

/** One place where a program may come from. */
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
 * Takes a program from the first source that has a good one, and puts it in its place when whole.
 * Gives the source's name. Errors: E_UNREACHABLE with the reason of each source.
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

/** The program on PATH, if it passes the check. Shims of npm packages are no programs. */
export function onPath(program: string): ToolSource {
  return {
    name: "PATH",
    put: async (directory) => {
      const directories = searchPath()
        .split(delimiter)
        .filter((path) => !path.includes("node_modules"));
      const found = findCommand(program, directories.join(delimiter));
      if (found === undefined) return "not there";
      await symlink(realpathSync(found), join(directory, "bin", program));
      return undefined;
    },
  };
}

/** Checksum of a file, in hexadecimal. */
export async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** Directory of xz-compressed programs, beside a SHA256SUMS of what they are uncompressed. */
function toolCacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.REGWARDEN_TOOLCACHE || join(projectRoot, "../shared/toolcache");
}

/** A program from a directory of compressed ones; its sum must be right. */
export function fromToolCache(program: string, directory = toolCacheDirectory()): ToolSource {
  return {
    name: "tool cache",
    put: async (target) => {
      const packed = join(directory, `${program}.xz`);
      if (!existsSync(packed)) return `no ${packed}`;
      const sums = readText(join(directory, "SHA256SUMS")) ?? "";
      const expected = sums
        .split("\n")
        .find((line) => line.endsWith(`  ${program}`))
        ?.split(" ")[0];
      if (expected === undefined) return `SHA256SUMS does not name ${program}`;
      const binary = join(target, "bin", program);
      await run(["sh", "-c", 'xz -dc "$1" >"$2"', "unpack", packed, binary], {
        quiet: true,
        timeoutSeconds: 300,
      });
      const actual = await sha256(binary);
      if (actual !== expected) return `checksum is ${actual}, expected ${expected}`;
      await chmod(binary, 0o755);
      return undefined;
    },
  };
}

const downloadHost = "get.pulumi.com";

/** Whether the official download can be reached at all: one short question before a long one. */
export async function downloadReachable(): Promise<boolean> {
  if (!(await resolves(downloadHost))) return false;
  const answer = fetch(`https://${downloadHost}`, { method: "HEAD", signal: AbortSignal.timeout(20_000) });
  return answer.then(
    () => true,
    () => false,
  );
}

/** The official download of the Pulumi CLI, by the npm package's own shim. */
export function officialDownload(version: string): ToolSource {
  return {
    name: "official download",
    put: async (directory, options) => {
      if (!(await downloadReachable())) return `${downloadHost} cannot be reached`;
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

/**
 * A build from a Go module: slow, but it needs nothing besides Go and a module proxy. In a module of its own, because
 * `go install MODULE@VERSION` also wants the list of all versions, which not every proxy gives.
 */
export function fromGoModule(
  module: string,
  version: string,
  program: string,
  linkerFlags: string,
): ToolSource {
  return {
    name: "build from the Go module",
    put: async (directory, options) => {
      if (findCommand("go") === undefined) return "no go on PATH";
      options.reporter?.say(`building ${module}@${version}; this takes about six minutes on two cores`);
      const own = join(directory, "module");
      await mkdir(own);
      await writeFile(
        join(own, "go.mod"),
        `module lab.invalid/toolchain\n\ngo 1.24\n\nrequire ${module} ${version}\n`,
      );
      const env = { GOFLAGS: "-mod=mod", GONOSUMDB: "github.com/pulumi/*" };
      const output = join(directory, "bin", program);
      const command = [
        "go",
        "build",
        "-o",
        output,
        "-ldflags",
        linkerFlags,
        `${module}/cmd/${program}`,
      ] as const;
      await run(command, { ...options, env, cwd: own, timeoutSeconds: 3600, dieWithParent: true });
      await rm(own, { recursive: true });
      return undefined;
    },
  };
}
