import { join } from "node:path";
import { ensureRootFileSystem } from "../host/root-file-system.ts";
import { LabError } from "../machine/errors.ts";
import { run, type StepOptions } from "../machine/run.ts";

const version = "2.8.3";

/**
 * Path of an executable distribution registry 2.8.3, the version that the stack pins. It comes with the lab's root file
 * system, which is built first where it is missing (root, one to three minutes).
 */
export async function registryBinary(options: StepOptions = {}): Promise<string> {
  const binary = join(await ensureRootFileSystem(options), "usr/bin/docker-registry");
  const { stdout } = await run([binary, "--version"], { quiet: true, timeoutSeconds: 10 });
  if (!stdout.includes(version)) {
    throw new LabError("E_MISSING", `${binary} should be version ${version} and prints "${stdout.trim()}"`);
  }
  return binary;
}
