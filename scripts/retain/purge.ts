import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import { type RetainPurgeReport, retainPurgeReportSchema } from "../../contract/retain-report.ts";
import { describeError, ProgramError, systemCode } from "../cli/errors.ts";
import type { Terminal } from "../cli/terminal.ts";
import { renderTable } from "../report/table.ts";
import { readLink } from "../source/disk/link.ts";
import { discoverRegistries } from "../source/disk/registry.ts";
import type { Effects } from "../store-change/effects.ts";
import { journalFile, readRun } from "../store-change/journal.ts";
import { exists, stampToleranceMs } from "../store-change/paths.ts";
import { removeTree } from "../store-change/remove-tree.ts";
import { purgingSuffix } from "../store-change/run-directory.ts";
import { withStoreLocks } from "../store-change/store-lock.ts";
import { retainedDirectory } from "./apply.ts";

interface PurgeOptions {
  readonly directory: string;
  readonly apply: boolean;
  readonly json: boolean;
  readonly olderThanMs: number;
}

type Run = RetainPurgeReport["runs"][number];

/** Removes what old runs have moved out of the stores, or says what that would remove. */
export async function runPurge(
  options: PurgeOptions,
  terminal: Terminal,
  effects: Effects,
): Promise<ExitCode> {
  const directory = resolve(options.directory);
  const { sources } = await discoverRegistries(directory);
  const locked = options.apply ? sources.map(({ dataDirectory }) => dataDirectory) : [];
  const runs = await withStoreLocks(locked, () =>
    purge(join(directory, retainedDirectory), options, effects),
  );
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

async function purge(
  base: string,
  { apply, olderThanMs }: PurgeOptions,
  effects: Effects,
): Promise<readonly Run[]> {
  const names = await readdir(base).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    throw new ProgramError("E_STORE_UNREADABLE", `Cannot read ${base}: ${describeError(error)}.`);
  });
  const runs: Run[] = [];
  for (const name of names.sort()) {
    const path = join(base, name);
    if (name.endsWith(purgingSuffix)) {
      if (apply) await remove(path, effects);
      continue;
    }
    const run = await checkRun(path, Date.now() - olderThanMs);
    runs.push(run);
    if (apply && run.decision === "purge") {
      await effects.replace(path, `${path}${purgingSuffix}`);
      await effects.syncDirectory(base);
      await remove(`${path}${purgingSuffix}`, effects);
    }
  }
  return runs;
}

async function remove(path: string, effects: Effects): Promise<void> {
  try {
    await removeTree(path, effects);
  } catch (cause) {
    const message = `Cannot remove ${path}: ${describeError(cause)}. The same command again goes on.`;
    throw new ProgramError("E_STORE_UNWRITABLE", message, { cause });
  }
}

async function checkRun(path: string, before: number): Promise<Run> {
  try {
    if (!(await exists(join(path, journalFile)))) return await checkWithoutJournal(path, before);
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

/** One that was killed before it had a journal has moved nothing. Errors: those of the file system. */
async function checkWithoutJournal(path: string, before: number): Promise<Run> {
  const tags = (await readdir(join(path, "moved")).catch(() => [])).length;
  const { mtimeMs } = await stat(path);
  const decision = tags > 0 ? "unreadable" : mtimeMs > before ? "young" : "purge";
  return { run: path, begunAt: new Date(mtimeMs).toISOString(), tags, decision };
}

const texts: Readonly<Record<Run["decision"], string>> = {
  purge: "",
  young: "stays: younger than the age",
  written: "stays: a push has written to what it moved, so undo it",
  unreadable: "stays: it could not be read",
};

function renderPurge({ applied, runs }: RetainPurgeReport): string {
  if (runs.length === 0) return "There are no runs.\n";
  const rows = runs.map(({ run, decision, tags }) => {
    const what = decision === "purge" ? (applied ? "removed" : "would be removed") : texts[decision];
    return [basename(run), String(tags), what];
  });
  const isPlan = !applied && runs.some(({ decision }) => decision === "purge");
  return [
    renderTable(["RUN", "TAGS", "WHAT"], rows, new Set([1])),
    isPlan ? "Nothing was changed. To do this, the same command with --apply.\n" : "",
  ].join("");
}
