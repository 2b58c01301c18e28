import type { EngineArgs } from "./args.ts";
import { ask } from "./ask.ts";
import { contentsOf, remainingText, type StackContents, unfinishedText } from "./closing.ts";
import { deferredText, hasDeferrableHosts } from "./deferred.ts";
import { type OpenStack, openStack } from "./open-stack.ts";
import type { Run } from "./run.ts";
import { type ChangeOptions, runChange, runPreview } from "./stack.ts";

/** Applies the program, or takes the stack down. Returns the exit code: 0 only where all of it was done. */
export async function changeStack(
  run: Run,
  operation: "up" | "destroy",
  { yes, only, lockWaitMilliseconds }: EngineArgs,
): Promise<number> {
  const { project, display } = run;
  const open = await openStack(run.stack, operation, project, display.writeError);
  const continueOnError = hasDeferrableHosts(await open.stack.getAllConfig());
  const options = { ...run, only, lockWaitMilliseconds, continueOnError };
  if (!yes) {
    const preview = () => runPreview(open, false, options);
    const asked = await ask(operation, run.stack, preview, run.interruption.requested);
    if (asked !== undefined) return asked;
  }
  if (operation === "destroy" && (await refusesPending(open, run))) return 1;
  const code = await changeAndReport(open, operation, options, run);
  if (operation === "destroy") await reportRemaining(open, run);
  return code;
}

async function changeAndReport(
  open: OpenStack,
  operation: "up" | "destroy",
  options: ChangeOptions,
  { stack, display, interruption }: Run,
): Promise<number> {
  const run = `${operation} of stack ${stack}`;
  try {
    const outcome = await runChange(open, operation, options);
    const deferred = deferredText(outcome.deferred);
    if (outcome.exitCode === 0) {
      display.writeError(
        deferred === "" ? "" : `\n${run} is done but for the hosts below, and fails for them.${deferred}`,
      );
      return deferred === "" ? 0 : 1;
    }
    const again = `npm run ${operation} -- --stack ${stack}`;
    display.writeError(unfinishedText({ run, outcome, signal: interruption.received, again }));
    display.writeError(deferred);
  } catch (error) {
    if (interruption.received === undefined) throw error;
    display.writeError(
      `\n${run} was cancelled (${interruption.received}) before it began: nothing was changed.\n`,
    );
  }
  return 1;
}

/**
 * What a killed update was just making is in no state, so a destroy would pass over it and call itself done. The next
 * `up` makes it again and records it.
 */
async function refusesPending(open: OpenStack, { stack, display }: Run): Promise<boolean> {
  const { pendingCreates } = await contents(open);
  if (pendingCreates.length === 0) return false;
  display.writeError(
    `An earlier update was killed while it made ${pendingCreates.join(", ")}: whether that is there is not recorded, so a destroy would leave it.\n` +
      `Run \`npm run up -- --stack ${stack}\` first, which makes and records it, then destroy again. Nothing was changed.\n`,
  );
  return true;
}

async function reportRemaining(open: OpenStack, { stack, display }: Run): Promise<void> {
  const text = remainingText(stack, await contents(open));
  if (text !== undefined) display.writeError(text);
}

async function contents({ stack }: OpenStack): Promise<StackContents> {
  return contentsOf((await stack.exportStack()).deployment);
}
