import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { registryBinary } from "../../../lab/images/registry-binary.ts";

const run = promisify(execFile);

/** Runs the registry's own collection on a store that no registry serves. Returns what it prints. */
export async function garbageCollect(directory: string, ...flags: readonly string[]): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), "regwarden-collect-"));
  try {
    const config = join(scratch, "config.yml");
    await writeFile(
      config,
      `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${directory}\n`,
    );
    const limits = { maxBuffer: 1024 ** 3 };
    const { stdout } = await run(await registryBinary(), ["garbage-collect", ...flags, config], limits);
    return stdout;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Works on a copy of a store, with its times, and throws the copy away. */
export async function onCopy<T>(directory: string, work: (copy: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), "regwarden-copy-"));
  try {
    const copy = join(scratch, "data");
    await cp(directory, copy, { recursive: true, preserveTimestamps: true });
    return await work(copy);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
