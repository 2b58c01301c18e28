import { readFile } from "node:fs/promises";
import * as v from "valibot";
import type { ExitCode } from "../../contract/exit-codes.ts";
import { type GcReport, gcReportSchema } from "../../contract/gc-report.ts";
import { parseArguments } from "../cli/command.ts";
import { describeError, ProgramError } from "../cli/errors.ts";
import type { Terminal } from "../cli/terminal.ts";
import { exitCodeOf } from "./exit-code.ts";
import { mergeReports } from "./merge-reports.ts";
import { renderJson } from "./report.ts";
import { renderReport } from "./table.ts";

const option = "merge-reports";

const schema = v.object({
  [option]: v.literal(true),
  json: v.optional(v.boolean(), false),
  positionals: v.pipe(v.array(v.string()), v.minLength(1, `--${option} needs the reports of all shards.`)),
});

const options = { [option]: { type: "boolean" }, json: { type: "boolean" } } as const;

export function mergesReports(argv: readonly string[]): boolean {
  return argv.includes(`--${option}`);
}

/**
 * Prints the reports that `--shard` runs wrote as the report of one run, and ends as that would.
 *
 * Errors: E_USAGE; E_CONFIGURATION for a file that is no such report, and where one of a shard is missing.
 */
export async function runMerge(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { json, positionals } = parseArguments(argv, options, schema);
  const reports = await Promise.all(positionals.map(readReport));
  const merged = mergeOrRefuse(reports);
  if (json) {
    terminal.out(renderJson(merged));
    return exitCodeOf(merged);
  }
  terminal.out(renderReport(merged, "DIR"));
  const runs = reports.flatMap(({ run }) => run ?? []);
  if (runs.length > 1) terminal.out(`Each shard has a run of its own to undo: ${runs.join(", ")}\n`);
  return exitCodeOf(merged);
}

async function readReport(path: string): Promise<GcReport> {
  const refuse = (why: string) => new ProgramError("E_CONFIGURATION", `${path} ${why}.`);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw refuse(`cannot be read: ${describeError(error)}`);
  });
  const refused = refuse(`is no report of gc --json (${gcReportSchema})`);
  try {
    const document = JSON.parse(text) as GcReport | null;
    if (document?.schema === gcReportSchema && Array.isArray(document.registries)) return document;
  } catch {
    throw refused;
  }
  throw refused;
}

function mergeOrRefuse(reports: readonly GcReport[]): GcReport {
  try {
    return mergeReports(reports);
  } catch (cause) {
    throw new ProgramError("E_CONFIGURATION", `${describeError(cause)}.`, { cause });
  }
}
