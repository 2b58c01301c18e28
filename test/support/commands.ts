import { expect } from "vitest";
import type { RepairReport } from "../../contract/repair-report.ts";
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
