import { pushJobs } from "../../contract/cluster-names.ts";
import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import type { InUseReport } from "../../contract/in-use-report.ts";
import type { Command } from "../cli/command.ts";
import type { Terminal } from "../cli/terminal.ts";
import { pushMetrics } from "../report/push-metrics.ts";
import { type InUseSettings, inUseHelp, parseInUseArguments } from "./args.ts";
import { checkCluster } from "./check-cluster.ts";
import { renderInUseMetrics } from "./metrics.ts";
import { renderInUseReport } from "./text.ts";

export const inUseCommand: Command = {
  name: "in-use",
  summary: "ask a registry whether it serves what a Kubernetes cluster's workloads need",
  help: inUseHelp,
  run: async (argv, terminal) => {
    const settings = parseInUseArguments(argv);
    const report = await checkCluster(settings);
    terminal.out(settings.json ? `${JSON.stringify(report, null, 2)}\n` : renderInUseReport(report));
    return push(settings, report, terminal);
  },
};

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
