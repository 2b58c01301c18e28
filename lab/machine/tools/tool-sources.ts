import { existsSync, realpathSync } from "node:fs";
import { chmod, symlink } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { readText, sha256Of } from "../files.ts";
import { findCommand, projectRoot, searchPath } from "../paths.ts";
import { run } from "../run.ts";
import type { ToolSource } from "./tool.ts";

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

/** Directory of xz-compressed programs, beside a SHA256SUMS of what they are uncompressed. */
function toolCacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.REGWARDEN_TOOLCACHE || join(projectRoot, "../shared/toolcache");
}

/** A program from a directory of compressed ones; its checksum must be right. */
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
      const actual = await sha256Of(binary);
      if (actual !== expected) return `checksum is ${actual}, expected ${expected}`;
      await chmod(binary, 0o755);
      return undefined;
    },
  };
}
