import { reachableType } from "../../contract/dns.ts";
import type { EngineArgs, ReportTargets } from "../args.ts";
import { changeTable, reportedChanges } from "../changes.ts";
import { type Deferred, deferredText } from "../deferred.ts";
import { explain } from "../explain.ts";
import { openStack } from "../open-stack.ts";
import type { Run } from "../run.ts";
import { type Outcome, runPreview } from "../stack.ts";
import type { DriftCheck } from "./record.ts";
import { driftCode, reportDrift } from "./report.ts";
import { type Unmanaged, unmanagedText } from "./unmanaged.ts";

/** Compares the stack with its program, prints and reports what differs. Returns the exit code. */
export async function drift(run: Run, targets: ReportTargets, args: EngineArgs): Promise<number> {
  const { check, unmanaged } = await checkForDrift(run);
  printCheck(run, check);
  run.display.write(unmanagedText(unmanaged));
  return await reportDrift({
    stack: run.stack,
    check,
    unmanaged,
    countsUnmanaged: args.unmanaged,
    ...targets,
    runUrl: process.env.CI_PIPELINE_URL,
    nowSeconds: Math.floor(Date.now() / 1000),
    warn: run.display.writeError,
  });
}

interface Checks {
  readonly check: DriftCheck;
  readonly unmanaged: Unmanaged;
}

/** Whatever goes wrong, the run could not check, and is reported so. */
async function checkForDrift(run: Run): Promise<Checks> {
  try {
    const stack = await openStack(run.stack, "drift", run.project, run.display.writeError);
    const outcome = await runPreview(stack, true, { ...run, only: undefined });
    return { check: checkOf(outcome), unmanaged: outcome.unmanaged };
  } catch (error) {
    run.display.writeError(`${explain(error)}\n`);
    return { check: { kind: "could-not-check" }, unmanaged: undefined };
  }
}

function checkOf(outcome: Outcome): DriftCheck {
  if (outcome.exitCode === 0) return { kind: "clean" };
  if (outcome.exitCode !== driftCode) return { kind: "could-not-check" };
  const { deferred } = outcome;
  const changes = reportedChanges(outcome).filter(({ type }) => type !== reachableType);
  if (deferred.length > 0)
    return changes.length > 0 ? { kind: "drift", changes, deferred } : { kind: "could-not-check", deferred };
  const isConnectionOnly = changes.length === 0 && outcome.changes.length > 0;
  return isConnectionOnly ? { kind: "clean" } : { kind: "drift", changes };
}

function printCheck({ stack, display }: Run, check: DriftCheck): void {
  if (check.kind === "clean") display.write(`\nStack ${stack}: no drift.\n`);
  else if (check.kind === "could-not-check") display.writeError(uncheckedText(stack, check.deferred ?? []));
  else {
    display.write(`\nStack ${stack} differs from its program in ${check.changes.length} resource(s):\n`);
    display.write(
      `${changeTable(check.changes)}\nWhat is declared comes back with \`npm run up\` for this stack.\n`,
    );
    display.writeError(deferredText(check.deferred ?? []));
  }
}

function uncheckedText(stack: string, deferred: readonly Deferred[]): string {
  if (deferred.length === 0) return `\nStack ${stack}: could not check; the errors of this run say why.\n`;
  const hosts = deferred.map(({ host }) => host).join(", ");
  return `\nStack ${stack}: could not check ${hosts}; no drift in the rest.\n${deferredText(deferred)}`;
}
