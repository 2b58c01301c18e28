import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import type { RepairReport } from "../../contract/repair-report.ts";
import { blobDataPath } from "../../scripts/registry/paths.ts";
import { type Content, image, index } from "./oci-content.ts";
import type { Registry } from "./registry.ts";

const program = join(import.meta.dirname, "../../scripts/main.ts");

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One run of the program, as a process of its own; no account of whoever runs the tests is used. */
export async function regwarden(
  argv: readonly string[],
  environment: Record<string, string> = {},
): Promise<Run> {
  const env = { ...process.env, DOCKER_CONFIG: "/nowhere", ...environment };
  return promisify(execFile)(process.execPath, [program, ...argv], { env }).then(
    (output) => ({ code: 0, ...output }),
    (error: Run) => error,
  );
}

export async function repair(...argv: string[]): Promise<{ exitCode: number; report: RepairReport }> {
  const { code, stdout, stderr } = await regwarden(["repair", ...argv, "--json"]);
  expect(stderr).toBe("");
  return { exitCode: code, report: JSON.parse(stdout) as RepairReport };
}

/** The file of a blob in a registry's store. */
export function blobPath({ directory }: Registry, content: Content): string {
  return blobDataPath(directory, content.descriptor.digest);
}

export const digest = ({ descriptor }: Content) => descriptor.digest;
export const amd64 = image("amd64", "linux/amd64");
export const arm64 = image("arm64", "linux/arm64/v8");
export const multi = index([amd64, arm64]);
