import { readdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import { type RetainPurgeReport, retainPurgeReportSchema } from "../../contract/retain-report.ts";
import { describeError, ProgramError, systemCode } from "../cli/errors.ts";
import type { Terminal } from "../cli/terminal.ts";
import { readLink } from "../source/disk/link.ts";
import { discoverRegistries } from "../source/disk/registry.ts";
import { readRun } from "../store-change/journal.ts";
import { stampToleranceMs } from "../store-change/paths.ts";
import { withStoreLocks } from "../store-change/store-lock.ts";
import { retainedDirectory } from "./apply.ts";

interface PurgeOptions {
  readonly directory: string;
  readonly apply: boolean;
  readonly json: boolean;
  readonly olderThanMs: number;
}

/** A run that is being removed: an interrupted removal is ended by the next. */
const ending = ".purging";

type Run = RetainPurgeReport["runs"][number];

/** Removes what old runs have moved out of the stores, or says what that would remove. */
export async function runPurge(options: PurgeOptions, terminal: Terminal): Promise<ExitCode> {
  const directory = resolve(options.directory);
  const { sources } = await discoverRegistries(directory);
  const locked = options.apply ? sources.map(({ dataDirectory }) => dataDirectory) : [];
  const runs = await withStoreLocks(locked, () => purge(join(directory, retainedDirectory), options));
  const report: RetainPurgeReport = {
    schema: retainPurgeReportSchema,
    finishedAt: new Date().toISOString(),
    applied: options.apply,
    runs,
  };
  terminal.out(options.json ? `${JSON.stringify(report, null, 2)}\n` : renderPurge(report));
  if (runs.some(({ decision }) => decision === "unreadable")) return exitCodes.couldNotCheck;
  const isLeft = runs.some(({ decision }) => decision === "written");
  const isPlan = !options.apply && runs.some(({ decision }) => decision === "purge");
  return isLeft || isPlan ? exitCodes.findings : exitCodes.clean;
}

async function purge(base: string, { apply, olderThanMs }: PurgeOptions): Promise<readonly Run[]> {
  const names = await readdir(base).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    throw new ProgramError("E_STORE_UNREADABLE", `Cannot read ${base}: ${describeError(error)}.`);
  });
  const runs: Run[] = [];
  for (const name of names.sort()) {
    const path = join(base, name);
    if (name.endsWith(ending)) {
      if (apply) await remove(path);
      continue;
    }
    const run = await checkRun(path, Date.now() - olderThanMs);
    runs.push(run);
    if (apply && run.decision === "purge") {
      await rename(path, `${path}${ending}`);
      await remove(`${path}${ending}`);
    }
  }
  return runs;
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true });
  } catch (cause) {
    const message = `Cannot remove ${path}: ${describeError(cause)}. The same command again goes on.`;
    throw new ProgramError("E_STORE_UNWRITABLE", message, { cause });
  }
}

async function checkRun(path: string, before: number): Promise<Run> {
  try {
    const { begunAt } = await readRun(path);
    const moved = join(path, "moved");
    const names = await readdir(moved);
    const base = { run: path, begunAt: new Date(begunAt).toISOString(), tags: names.length };
    if (begunAt > before) return { ...base, decision: "young" };
    // A push that had opened the link before it was moved has written to what was moved.
    const isWritten = names.some((name) => {
      const link = readLink(join(moved, name, "current", "link"), { withTimes: true });
      return link?.state === "linked" && (link.modifiedAt ?? 0) > begunAt + stampToleranceMs;
    });
    return { ...base, decision: isWritten ? "written" : "purge" };
  } catch (error) {
    if (!(error instanceof ProgramError) && systemCode(error) === undefined) throw error;
    return { run: path, begunAt: new Date(0).toISOString(), tags: 0, decision: "unreadable" };
  }
}

const texts: Readonly<Record<Run["decision"], string>> = {
  purge: "",
  young: "stays: it is younger",
  written: "stays, as a push has written to what it moved: undo it",
  unreadable: "stays, as it could not be read",
};

function renderPurge({ applied, runs }: RetainPurgeReport): string {
  const lines = runs.map(({ run, decision, tags, begunAt }) => {
    const what = decision === "purge" ? (applied ? "removed" : "would be removed") : texts[decision];
    return `${run} of ${begunAt}, ${tags} tags: ${what}\n`;
  });
  const isPlan = !applied && runs.some(({ decision }) => decision === "purge");
  return [
    ...(lines.length > 0 ? lines : ["There are no runs.\n"]),
    isPlan ? "Nothing was changed. To do this, the same command with --apply.\n" : "",
  ].join("");
}
