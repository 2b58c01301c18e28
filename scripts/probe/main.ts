import { pushJobs } from "../../contract/cluster-names.ts";
import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import type { ProbeReport } from "../../contract/probe-report.ts";
import type { Command } from "../cli/command.ts";
import { createProgressLine } from "../cli/progress.ts";
import type { Terminal } from "../cli/terminal.ts";
import { pushMetrics } from "../report/push-metrics.ts";
import type { GroupingKey } from "../report/pushgateway.ts";
import { httpRegistry } from "../source/http/registry.ts";
import { type ProbeSettings, parseProbeArguments, probeHelp } from "./args.ts";
import { readCertificateExpiry } from "./certificate.ts";
import { renderProbeMetrics } from "./metrics.ts";
import { probeRegistry } from "./probe-registry.ts";
import { buildProbeReport, exitCodeOfProbe } from "./report.ts";
import { describeCounts, renderProbeReport } from "./text.ts";

export const probeCommand: Command = {
  name: "probe",
  summary: "ask a registry over HTTP whether it serves everything that its tags need",
  help: probeHelp,
  run: async (argv, terminal) => {
    const settings = parseProbeArguments(argv);
    const report = await probe(settings, terminal);
    terminal.out(settings.json ? `${JSON.stringify(report, null, 2)}\n` : renderProbeReport(report));
    return push(settings, report, terminal);
  },
};

async function probe(settings: ProbeSettings, terminal: Terminal): Promise<ProbeReport> {
  const { origin, instance: name, account, concurrency, timeoutSeconds, sentinel, shard } = settings;
  const startedAt = performance.now();
  const source = httpRegistry({ name, origin, account, concurrency, timeoutSeconds });
  const progress = createProgressLine(terminal, () => performance.now(), describeCounts);
  const certificateExpiry = await readCertificateExpiry(origin, timeoutSeconds);
  // First, as the refusal also says how the registry wants clients to log in.
  const isClosed = account ? await source.asksForAccount() : null;
  const onProgress = progress.update;
  const result = await probeRegistry(source, { concurrency, sentinel, shard, onProgress });
  progress.clear();
  return buildProbeReport(settings, {
    result,
    tally: source.tally(),
    authenticationRequired: isClosed,
    certificateExpiry,
    finishedAt: new Date(),
    durationSeconds: (performance.now() - startedAt) / 1000,
  });
}

async function push(settings: ProbeSettings, report: ProbeReport, terminal: Terminal): Promise<ExitCode> {
  const group = { key: groupingKey(settings), text: renderProbeMetrics(report) };
  const hasArrived = await pushMetrics("probe", settings.pushgateway, [group], terminal);
  return hasArrived ? exitCodeOfProbe(report) : exitCodes.couldNotCheck;
}

/** Each shard has a group of its own, which its next run replaces. */
function groupingKey({ instance, shard }: ProbeSettings): GroupingKey {
  const key = [
    ["job", pushJobs.probe],
    ["instance", instance],
  ] as const;
  return shard && shard.count > 1 ? [...key, ["shard", String(shard.index)]] : key;
}
