import type { DeploymentCheckConfig } from "../../../contract/deployment-check.ts";
import { type ExitCode, exitCodes } from "../../../contract/exit-codes.ts";
import type { Command } from "../../cli/command.ts";
import { createClient, type Send } from "../../http/client.ts";
import type { Account } from "../../http/exchange.ts";
import { type Check, patienceSeconds } from "../check.ts";
import { readAccount, readDeploymentConfig } from "../config.ts";
import { checkDeploymentHelp, parseCheckDeploymentArguments } from "./args.ts";
import { checkPrivate } from "./private.ts";
import { checkScanReport } from "./scan-report.ts";
import { checkScheduledJobs } from "./scheduled-jobs.ts";
import { checkCache, checkUi } from "./services.ts";

export const checkDeploymentCommand: Command = {
  name: "check-deployment",
  summary: "assert from outside that what was deployed does its work",
  help: checkDeploymentHelp,
  run: async (argv, terminal) => {
    const { configPath } = parseCheckDeploymentArguments(argv);
    const config = await readDeploymentConfig(configPath);
    const account = await readAccount(config, terminal);
    const send = createClient({ patienceSeconds, note: (text) => terminal.err(`${text}\n`) });
    const checks = await checkDeployment(config, account, send, Date.now());
    terminal.out(renderChecks(checks));
    return exitCodeOf(checks);
  },
};

/**
 * All assertions, in the order of the configuration. The services are asked side by side, as each may have to be waited
 * for.
 *
 * Units: `now` in milliseconds since 1970.
 */
export async function checkDeployment(
  config: DeploymentCheckConfig,
  account: Account,
  send: Send,
  now: number,
): Promise<readonly Check[]> {
  const groups = [
    checkPrivate(config.private, account, send),
    ...config.caches.map((cache) => checkCache(cache, send)),
    ...(config.ui ? [checkUi(config.ui.url, send)] : []),
    checkScanReport(config.scanReport, now),
    checkScheduledJobs(config.jobs),
  ];
  return (await Promise.all(groups)).flat();
}

/** One line an assertion; after one that does not hold, what to do. */
export function renderChecks(checks: readonly Check[]): string {
  const lines = checks.flatMap(({ title, holds, expected, got, hint, note }) => [
    `${holds ? "ok    " : "FAILED"}  ${title}: expected ${expected}, got ${got}`,
    ...(holds ? [] : [`        hint: ${hint}`]),
    ...(note === undefined ? [] : [`        warning: ${note}`]),
  ]);
  const failed = checks.filter(({ holds }) => !holds).length;
  const end =
    failed === 0
      ? `All ${checks.length} assertions hold.`
      : `${failed} of ${checks.length} assertions FAILED.`;
  return `${[...lines, end].join("\n")}\n`;
}

/** The exit status that the assertions stand for. */
export function exitCodeOf(checks: readonly Check[]): ExitCode {
  if (checks.every(({ holds }) => holds)) return exitCodes.clean;
  return checks.some(({ isReached }) => isReached) ? exitCodes.findings : exitCodes.couldNotCheck;
}
