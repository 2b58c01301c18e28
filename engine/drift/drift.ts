import type { EngineArgs, ReportTargets } from "../args.ts";
import { changeTable, reportedChanges } from "../changes.ts";
import { explain } from "../explain.ts";
import { openStack } from "../open-stack.ts";
import type { Run } from "../run.ts";
import { runPreview } from "../stack.ts";
import type { DriftCheck } from "./record.ts";
import { driftCode, reportDrift } from "./report.ts";

/** Compares the stack with its program, prints and reports what differs. Returns the exit code. */
export async function drift(run: Run, targets: ReportTargets, _args: EngineArgs): Promise<number> {
  const check = await checkForDrift(run);
  printCheck(run, check);
  return await reportDrift({
    stack: run.stack,
    check,
    ...targets,
    runUrl: process.env.CI_PIPELINE_URL,
    nowSeconds: Math.floor(Date.now() / 1000),
    warn: run.display.writeError,
  });
}

/** Whatever goes wrong, the run could not check, and is reported so. */
async function checkForDrift(run: Run): Promise<DriftCheck> {
  try {
    const stack = await openStack(run.stack, "drift", run.project, run.display.writeError);
    const outcome = await runPreview(stack, true, { ...run, only: undefined });
    if (outcome.exitCode === 0) return { kind: "clean" };
    if (outcome.exitCode !== driftCode) return { kind: "could-not-check" };
    const changes = reportedChanges(outcome);
    const isConnectionOnly = changes.length === 0 && outcome.changes.length > 0;
    return isConnectionOnly ? { kind: "clean" } : { kind: "drift", changes };
  } catch (error) {
    run.display.writeError(`${explain(error)}\n`);
    return { kind: "could-not-check" };
  }
}

function printCheck({ stack, display }: Run, check: DriftCheck): void {
  if (check.kind === "clean") display.write(`\nStack ${stack}: no drift.\n`);
  else if (check.kind === "could-not-check")
    display.writeError(`\nStack ${stack}: could not check; the errors of this run say why.\n`);
  else {
    display.write(`\nStack ${stack} differs from its program in ${check.changes.length} resource(s):\n`);
    display.write(
      `${changeTable(check.changes)}\nWhat is declared comes back with \`npm run up\` for this stack.\n`,
    );
  }
}
