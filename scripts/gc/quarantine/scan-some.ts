import type { Terminal } from "../../cli/terminal.ts";
import type { RawFinding } from "../../graph/raw-finding.ts";
import type { DiskSource } from "../../source/disk/registry.ts";
import { scanAll } from "../../store-check/check-stores.ts";

/** What a scan finds in some repositories of a store. Errors: E_OUT_OF_MEMORY. */
export async function scanSome(
  source: DiskSource,
  repositories: readonly string[],
  terminal: Terminal,
): Promise<readonly RawFinding[]> {
  if (repositories.length === 0) return [];
  const choice = { sources: [source], modeOf: () => "authoritative" as const };
  const results = await scanAll(choice, { repositories: new Set(repositories) }, terminal);
  return results.flatMap(({ findings }) => findings);
}
