import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exitCodes } from "../contract/exit-codes.ts";
import type { GcReport } from "../contract/gc-report.ts";
import { builtBundle } from "../contract/host-paths.ts";
import { registryBinary } from "../lab/images/registry-binary.ts";
import { nodeBinary, projectRoot } from "../lab/machine/paths.ts";
import type { startStackNginx } from "../test/support/registry/stack-nginx.ts";
import { type MeasuredRun, runProcess } from "./run-process.ts";

export interface Freezes {
  readonly seconds: readonly number[];
  /** Whether the last was over before anything was moved. */
  readonly isTooShort: boolean;
}

/** The registry's own `garbage-collect` of a store. */
export async function collectByRegistry(
  directory: string,
  scratch: string,
  options: readonly string[],
): Promise<MeasuredRun> {
  const config = join(scratch, "config.yml");
  await writeFile(
    config,
    `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${directory}\n`,
  );
  const binary = await registryBinary();
  const run = await runProcess(binary, ["garbage-collect", ...options, config], { keepsOutput: false });
  if (run.exitCode !== 0) throw new Error(`garbage-collect ended with ${run.exitCode}`);
  return run;
}

const exitCodesOfGc: readonly number[] = [exitCodes.clean, exitCodes.couldNotCheck];

async function collectByGc(root: string, safety: readonly string[]) {
  const atOnce = ["--dead-for", "0s", "--grace", "0s", "--overwritten", "0s", "--budget", "100%"];
  const run = await regwarden(["gc", root, "--apply", ...atOnce, ...safety, "--json"], exitCodesOfGc);
  const report = JSON.parse(run.output) as GcReport;
  const refused = report.registries.filter((registry) => registry.refused !== null);
  const isTooShort = refused.length > 0 && refused.every(({ refusedFor }) => refusedFor === "freeze");
  if (!isTooShort && (refused.length > 0 || report.proof?.lost.length !== 0))
    throw new Error(`gc did not do its work: ${refused.map((registry) => registry.refused).join(" ")}`);
  const left = report.registries.reduce((sum, { spared }) => sum + spared.outOfTime, 0);
  return { run, report, left, isTooShort };
}

/** A collection while nothing serves the stores, that leaves nothing. */
export async function collectAtOnce(root: string) {
  const one = await collectByGc(root, ["--offline"]);
  if (one.isTooShort || one.left > 0) throw new Error(`gc left ${one.left} links and blobs for want of time`);
  return one;
}

/** Collections with real freezes by nginx, until nothing is left. */
export async function collectWithFreezes(
  root: string,
  nginx: Awaited<ReturnType<typeof startStackNginx>>,
): Promise<Freezes> {
  const { flag, statusUrl } = nginx.freeze;
  // As the rotation begins it: no client asked for anything since.
  const begins = Math.floor(Date.now() / 1000) - 3600;
  await writeFile(nginx.recordedLog, `${JSON.stringify({ begins, follows: null })}\n`);
  const freeze = ["--freeze", flag, "--freeze-status", statusUrl, "--access-log", nginx.recordedLog];
  const seconds: number[] = [];
  for (;;) {
    const { report, left, isTooShort } = await collectByGc(root, freeze);
    if (report.freezeSeconds === null) throw new Error("gc held no writes");
    seconds.push(report.freezeSeconds);
    if (isTooShort) await collectAtOnce(root);
    if (isTooShort || left === 0) return { seconds, isTooShort };
  }
}

/** Errors: an exit status that is not expected. */
export async function regwarden(
  args: readonly string[],
  expected: readonly number[] = [exitCodes.clean],
): Promise<MeasuredRun> {
  const run = await runProcess(nodeBinary, [join(projectRoot, builtBundle), ...args]);
  if (!expected.includes(run.exitCode))
    throw new Error(`${args[0]} ended with ${run.exitCode}: ${run.output.slice(0, 2000)}`);
  return run;
}
