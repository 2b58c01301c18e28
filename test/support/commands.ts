import { expect } from "vitest";
import type { GcReport } from "../../contract/gc-report.ts";
import type { RepairReport } from "../../contract/repair-report.ts";
import type { RetainReport } from "../../contract/retain-report.ts";
import type { ScanReport } from "../../contract/scan-report.ts";
import { regwarden, withReport } from "./program.ts";

/** Scans a directory in this process, and reads the document that is printed. */
export async function scan(directory: string, ...flags: string[]) {
  return withReport<ScanReport>(await regwarden(["scan", directory, "--json", ...flags]));
}

/** Repairs in this process, and reads the document; there must be nothing to warn of. */
export async function repair(...argv: string[]) {
  const outcome = withReport<RepairReport>(await regwarden(["repair", ...argv, "--json"]));
  expect(outcome.stderr).toBe("");
  return outcome;
}

/** Decides in this process which tags stay, and reads the document. */
export async function retain(...argv: string[]) {
  return withReport<RetainReport>(await regwarden(["retain", ...argv, "--json"]));
}

/** What was decided, as REPOSITORY:TAG by decision. */
export function decidedTags({ registries }: RetainReport) {
  const all = registries.flatMap(({ repositories }) =>
    repositories.flatMap(({ name, tags }) =>
      tags.map(({ tag, decision }) => ({ tag: `${name}:${tag}`, decision })),
    ),
  );
  const of = (wanted: string) =>
    all
      .filter(({ decision }) => decision === wanted)
      .map(({ tag }) => tag)
      .sort();
  return { keep: of("keep"), drop: of("drop"), undecided: of("undecided") };
}

/** Collects in this process, and reads the document. */
export async function gc(...argv: string[]) {
  return withReport<GcReport>(await regwarden(["gc", ...argv, "--json"]));
}
