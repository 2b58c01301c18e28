import { pushJobs } from "../../contract/cluster-names.ts";
import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import type { InUseReport } from "../../contract/in-use-report.ts";
import type { Command } from "../cli/command.ts";
import { ProgramError } from "../cli/errors.ts";
import type { Terminal } from "../cli/terminal.ts";
import { createClient, type Send } from "../http/client.ts";
import { pushMetrics } from "../report/push-metrics.ts";
import { type InUseSettings, inUseHelp, parseInUseArguments } from "./args.ts";
import { checkCluster } from "./check-cluster.ts";
import { renderInUseMetrics } from "./metrics.ts";
import { publish } from "./publish.ts";
import { renderInUseReport } from "./text.ts";

export const inUseCommand: Command = {
  name: "in-use",
  summary: "ask a registry whether it serves what a Kubernetes cluster's workloads need",
  help: inUseHelp,
  run: async (argv, terminal) => {
    const settings = parseInUseArguments(argv);
    const report = await checkCluster(settings);
    terminal.out(settings.json ? `${JSON.stringify(report, null, 2)}\n` : renderInUseReport(report));
    const isPublished = await put(settings, report, terminal);
    const pushed = await push(settings, report, terminal);
    return isPublished ? pushed : exitCodes.couldNotCheck;
  },
};

/** How long a write may be held by nginx, which other registries' own answers never take. */
const patienceSeconds = 60;

/** Publishes the list where that is asked for; whether it is there. */
async function put(settings: InUseSettings, report: InUseReport, terminal: Terminal): Promise<boolean> {
  const { publish: target, registries, account } = settings;
  const [registry] = registries;
  if (target === undefined || registry === undefined || account === undefined) return true;
  const once = createClient({ patienceSeconds, note: (text) => terminal.err(`${text}\n`) });
  const send: Send = (url, request) => once(url, { timeoutSeconds: patienceSeconds, ...request });
  try {
    await publish(report, { ...target, origin: registry.origin, account }, send);
    return true;
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    terminal.err(`regwarden in-use: the list is not published. ${error.message}\n`);
    return false;
  }
}

async function push(settings: InUseSettings, report: InUseReport, terminal: Terminal): Promise<ExitCode> {
  const groups = report.registries.map(({ name }) => ({
    key: [
      ["job", pushJobs.inUse],
      ["instance", name],
    ] as const,
    text: renderInUseMetrics(report, name),
  }));
  const hasArrived = await pushMetrics("in-use", settings.pushgateway, groups, terminal);
  return hasArrived ? exitCodeOfInUse(report) : exitCodes.couldNotCheck;
}

/** The exit status that a report stands for. */
function exitCodeOfInUse({ complete, broken, problems }: InUseReport): ExitCode {
  if (!complete) return exitCodes.couldNotCheck;
  return broken.length + problems.length > 0 ? exitCodes.findings : exitCodes.clean;
}
