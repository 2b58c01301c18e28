import { type ExitCode, exitCodes } from "../../../contract/exit-codes.ts";
import {
  type GcGateReason,
  type GcGateReport,
  gcGateReportSchema,
} from "../../../contract/gc-gate-report.ts";
import type { Terminal } from "../../cli/terminal.ts";
import { linkDamage, unparsableManifests } from "../../mark/needs.ts";
import { counted, warningOf } from "../../report/phrases.ts";
import { renderTable } from "../../report/table.ts";
import { readStoreFacts } from "../../source/read-store.ts";
import { memoizeManifests } from "../../store-check/check-repository.ts";
import type { GcArguments } from "../args.ts";
import { findStores } from "../find-stores.ts";
import { createGateCheck } from "./find-reasons.ts";

/** Whether distribution 3.x can take over these stores as they are. Reads only. */
export async function runGate(options: GcArguments, terminal: Terminal): Promise<ExitCode> {
  const startedAt = performance.now();
  const stores = await findStores(options);
  const reasons: GcGateReason[] = [];
  let isComplete = stores.unreadable.length === 0;
  for (const source of stores.collected) {
    const { check } = createGateCheck();
    const manifest = memoizeManifests(source);
    for await (const fact of source.repositories()) {
      if (fact.state === "unreadable") {
        isComplete = false;
        continue;
      }
      // Only what manifests name counts here, not whether the blobs are there.
      const blob = () => ({ state: "missing" }) as const;
      const facts = await readStoreFacts(source, "authoritative", fact.name, { manifest, blob });
      if ([...linkDamage(facts), ...unparsableManifests(facts)].length > 0) isComplete = false;
      reasons.push(...check(facts));
    }
  }
  const report: GcGateReport = {
    schema: gcGateReportSchema,
    finishedAt: new Date().toISOString(),
    durationSeconds: Math.round(performance.now() - startedAt) / 1000,
    complete: isComplete,
    safe: isComplete && reasons.length === 0,
    reasons,
  };
  terminal.out(options.json ? `${JSON.stringify(report, null, 2)}\n` : renderGate(report));
  if (!isComplete) return exitCodes.couldNotCheck;
  return report.safe ? exitCodes.clean : exitCodes.findings;
}

const shownAtMost = 20;

function renderGate({ reasons, complete }: GcGateReport): string {
  const warning = warningOf(complete);
  if (reasons.length === 0)
    return complete
      ? "Distribution 3.x loses nothing of what is here. Even so, never run its garbage-collect with -m.\n"
      : `${warning}In the rest, distribution 3.x loses nothing.\n`;
  const rows = reasons
    .slice(0, shownAtMost)
    .map(({ kind, registry, repository, digest, message }) => [
      kind,
      `${registry}/${repository}@${digest}`,
      message,
    ]);
  const more = reasons.length - rows.length;
  const rest = more > 0 ? `and ${more} more\n` : "";
  return `${renderTable(["REASON", "WHAT", "WHY"], rows)}${rest}\n${warning}${counted(reasons.length, "reason")} not to move to distribution 3.x yet.\n`;
}
