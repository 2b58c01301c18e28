import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import type { RepairOutcome, RepairReport } from "../../contract/repair-report.ts";
import type { Command } from "../cli/command.ts";
import { ProgramError } from "../cli/errors.ts";
import type { Terminal } from "../cli/terminal.ts";
import { createEffects, type Effects } from "../store-change/effects.ts";
import { withStoreLocks } from "../store-change/store-lock.ts";
import { findAccounts } from "./accounts.ts";
import { parseRepairArguments, type RepairArguments, repairHelp } from "./args.ts";
import { servedCopySource } from "./copy-source.ts";
import { makeChanges, type Run } from "./make-changes.ts";
import { type Plan, planRepair } from "./plan.ts";
import { buildReport, type PlanReport, renderJson, reportPlan } from "./report.ts";
import { runUndo } from "./run-undo.ts";
import { findStores } from "./stores.ts";
import { findDamage, type Survey, survey } from "./survey.ts";
import { renderOutcome, renderPlan } from "./table.ts";

export const repairCommand: Command = {
  name: "repair",
  summary: "bring damaged images back: relink, copy from elsewhere, or say what to rebuild",
  help: repairHelp,
  run: (argv, terminal) => runRepair(argv, terminal, createEffects()),
};

/** One run with the given way to touch the disk. */
export async function runRepair(
  argv: readonly string[],
  terminal: Terminal,
  effects: Effects,
): Promise<ExitCode> {
  const options = parseRepairArguments(argv);
  if (options.undo !== undefined) return runUndo({ ...options, undo: options.undo }, terminal, effects);
  const startedAt = performance.now();
  const run: Run = { options, stores: await findStores(options), terminal, effects };
  const { report, acted } = options.apply ? await planAndAct(run) : { ...(await plan(run)), acted: null };
  const clock = {
    finishedAt: new Date().toISOString(),
    durationSeconds: (performance.now() - startedAt) / 1000,
  };
  const document = buildReport(report, clock, acted ?? { outcome: null, journal: null });
  terminal.out(options.json ? renderJson(document) : renderText(report, acted, options));
  return acted?.isStopped ? exitCodes.couldNotCheck : exitCodeOf(document);
}

/** The locks are taken before the scan: what another run writes meanwhile would make the plan wrong. */
function planAndAct(run: Run): Promise<{ readonly report: PlanReport; readonly acted: Acted }> {
  const directories = run.stores.repaired.map(({ dataDirectory }) => dataDirectory);
  return withStoreLocks(directories, async () => {
    const planned = await plan(run);
    return { report: planned.report, acted: await act(planned, run) };
  });
}

interface Planned {
  readonly surveyed: Survey;
  readonly plan: Plan;
  readonly report: PlanReport;
}

async function plan({ options, stores, terminal }: Run): Promise<Planned> {
  const accountFor = await findAccounts(options.from);
  const { timeoutSeconds } = options;
  const remotes = options.from.map((address) =>
    servedCopySource(address, { account: accountFor(address), timeoutSeconds }),
  );
  const surveyed = await survey(stores, options, remotes, terminal);
  const plan = planRepair(surveyed.damaged, surveyed.copies, options);
  return { surveyed, plan, report: reportPlan(surveyed, plan) };
}

interface Acted {
  readonly outcome: RepairOutcome;
  readonly journal: string | null;
  readonly isStopped: boolean;
}

/** Does what was planned, unless it is too much or nothing, and scans again. */
async function act({ surveyed, plan, report }: Planned, run: Run): Promise<Acted> {
  const { options, stores, terminal } = run;
  if (!options.json) terminal.out(renderPlan(report));
  const count = report.changes.length;
  if (count > options.maxChanges)
    throw new ProgramError(
      "E_BUDGET",
      `The plan has ${count} changes, more than the ${options.maxChanges} allowed, so nothing was changed. Read it, then add: --max-changes ${count}`,
    );
  const { applied, journal } = count === 0 ? nothingToDo : await makeChanges(plan, surveyed, run);
  const left = await findDamage(stores.repaired, options, terminal);
  const { made, failures, isStopped } = applied;
  return { outcome: { made, failures, left }, journal, isStopped };
}

const nothingToDo = { applied: { made: 0, failures: [], isStopped: false }, journal: null };

function renderText(report: PlanReport, acted: Acted | null, options: RepairArguments): string {
  const { images, changes } = report;
  const mayHelp = options.from.length === 0 && images.some(({ remedy }) => remedy === "rebuild");
  const hint = mayHelp
    ? "Has another registry what is to be built again? Then add: --from https://HOST:PORT\n"
    : "";
  if (acted?.journal) {
    const { directory } = options;
    return renderOutcome(acted.outcome, { changes, journal: acted.journal, directory }) + hint;
  }
  // With --apply the plan stands above already.
  if (acted) return images.length === 0 ? "Nothing to do.\n" : `Nothing to do from here.\n${hint}`;
  const again = "Nothing was changed. To do this, the same command with --apply.\n";
  return `${renderPlan(report)}${changes.length > 0 ? again : ""}${hint}`;
}

/** The exit status that a report stands for. */
function exitCodeOf({ complete, images, triage, outcome }: RepairReport): ExitCode {
  const findings = outcome ? outcome.left : triage.map(({ finding }) => finding);
  if (!complete || findings.some(({ cause }) => cause === "unreadable")) return exitCodes.couldNotCheck;
  const isDone = outcome ? outcome.failures.length === 0 : images.length === 0;
  const isLeft = findings.some(({ severity, remedy }) => severity !== "info" && remedy !== "none");
  const isBroken = outcome !== null && images.some(({ completeAfterwards }) => !completeAfterwards);
  return isDone && !isLeft && !isBroken ? exitCodes.clean : exitCodes.findings;
}
