import { readFile } from "node:fs/promises";
import { pushJobs } from "../../contract/cluster-names.ts";
import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import { type InUseReport, inUseReportSchema } from "../../contract/in-use-report.ts";
import type { Command } from "../cli/command.ts";
import type { Terminal } from "../cli/terminal.ts";
import { readDockerConfig } from "../http/docker-config.ts";
import { createRetryingSend } from "../http/retry.ts";
import { pushMetrics } from "../report/push-metrics.ts";
import { httpRegistry } from "../source/http/registry.ts";
import { remember } from "../source/http/remember.ts";
import { type InUseSettings, inUseHelp, parseInUseArguments, type RegistryPlace } from "./args.ts";
import { checkUses, type SortedUses, sortUses, workloadName } from "./check-uses.ts";
import { type ClusterAccess, kubeconfigAccess, podAccess } from "./cluster/access.ts";
import { collectUses } from "./collect-uses.ts";
import { clusterProblem, unparsableImageProblem } from "./describe-images.ts";
import { renderInUseMetrics } from "./metrics.ts";
import { platformOfNode } from "./node-platforms.ts";
import { readCluster } from "./read-cluster.ts";
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

async function checkCluster(settings: InUseSettings): Promise<InUseReport> {
  const startedAt = performance.now();
  const access = await findAccess(settings);
  const accounts = await findAccounts(settings);
  const send = createRetryingSend({
    tries: 3,
    pauseSeconds: 0.5,
    retryAfterLimitSeconds: 30,
    onRequest: () => {},
  });
  const { objects, faults } = await readCluster(send, access);
  const names = new Set(settings.registries.map(({ name }) => name));
  const sorted = sortUses(collectUses(objects), names);
  const results = await Promise.all(
    settings.registries.map((location) =>
      checkRegistry(settings, location, sorted, accounts(location), faults.length === 0),
    ),
  );
  return {
    schema: inUseReportSchema,
    finishedAt: new Date().toISOString(),
    durationSeconds: Math.round(performance.now() - startedAt) / 1000,
    complete: results.every(({ registry }) => registry.complete),
    platforms: [...new Set(objects.nodes.map(platformOfNode))].sort(),
    registries: results.map(({ registry }) => registry),
    otherImages: sorted.others,
    broken: results.flatMap(({ broken }) => broken),
    problems: [
      ...faults.map(clusterProblem),
      ...sorted.unparsable.map(unparsableImageProblem),
      ...results.flatMap(({ problems }) => problems),
    ],
  };
}

function findAccess({ pod, kubeconfig, context }: InUseSettings): Promise<ClusterAccess> {
  const readText = (path: string) => readFile(path, "utf8");
  return pod ? podAccess(pod, readText) : kubeconfigAccess(kubeconfig ?? "", context, readText);
}

async function findAccounts({ account, dockerConfig }: InUseSettings) {
  const logins = account ? undefined : await readDockerConfig(dockerConfig);
  return ({ name }: RegistryPlace) => account ?? logins?.accountOf(name);
}

async function checkRegistry(
  { concurrency }: InUseSettings,
  { name, origin }: RegistryPlace,
  sorted: SortedUses,
  account: ReturnType<Awaited<ReturnType<typeof findAccounts>>>,
  isClusterRead: boolean,
) {
  const source = remember(httpRegistry({ name, origin, account, concurrency }));
  const wanted = sorted.wanted.filter(({ reference }) => reference.host === name);
  const { broken, problems } = await checkUses(source, wanted, concurrency);
  const { requests } = source.tally();
  const workloads = new Set(wanted.flatMap(({ uses }) => uses.map(({ workload }) => workloadName(workload))));
  const registry = {
    name,
    images: wanted.length,
    workloads: workloads.size,
    requests,
    complete: isClusterRead && problems.length === 0,
  };
  return { registry, broken, problems };
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
