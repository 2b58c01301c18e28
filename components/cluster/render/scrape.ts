import {
  backupMetricsPath,
  breakGlassMetricsPath,
  diskMetricsPath,
  maintenanceMetricsPaths,
  registryMetricsPath,
  scanMetricsPath,
} from "../../../contract/host-names.ts";
import { freezePaths } from "../../../contract/write-freeze.ts";
import { yamlText } from "../../yaml.ts";
import { jobs } from "./sources.ts";

/** What decides where Prometheus finds the metrics that the rules read. */
export interface ScrapeScope {
  /** HOST:PORT of the VM's metrics port. */
  readonly metricsAddress: string;
  /** Names of the registry and its caches. */
  readonly registries: readonly string[];
  /** Whether the store is copied to another machine. */
  readonly backsUp: boolean;
  /** Whether images are copied out of the store. */
  readonly breaksGlass: boolean;
  /** Base URL of the Pushgateway; undefined where another scrapes it. */
  readonly pushgatewayUrl: string | undefined;
}

/** One job, with a target for each path. */
export interface ScrapeJob {
  readonly job: string;
  readonly scheme: string;
  readonly targets: readonly {
    readonly address: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
  /** Whether pushed labels win over those of the target. */
  readonly honorLabels: boolean;
}

/** The jobs of all metrics that the rules and the dashboard read. */
export function scrapeJobs({
  metricsAddress,
  registries,
  backsUp,
  breaksGlass,
  pushgatewayUrl,
}: ScrapeScope): ScrapeJob[] {
  const onHost = (job: string, targets: readonly Readonly<Record<string, string>>[]): ScrapeJob => ({
    job,
    scheme: "http",
    targets: targets.map((labels) => ({ address: metricsAddress, labels })),
    honorLabels: false,
  });
  const path = (metricsPath: string) => ({ __metrics_path__: metricsPath });
  return [
    onHost(
      jobs.registries,
      registries.map((registry) => ({ registry, ...path(registryMetricsPath(registry)) })),
    ),
    onHost(jobs.scan, [path(scanMetricsPath)]),
    onHost(jobs.disk, [path(diskMetricsPath)]),
    ...(breaksGlass ? [onHost(jobs.breakGlass, [path(breakGlassMetricsPath)])] : []),
    ...(backsUp ? [onHost(jobs.backup, [path(backupMetricsPath)])] : []),
    onHost(jobs.maintenance, [...Object.values(maintenanceMetricsPaths), freezePaths.metrics].map(path)),
    ...(pushgatewayUrl === undefined ? [] : [pushgatewayJob(new URL(pushgatewayUrl))]),
  ];
}

function pushgatewayJob({ protocol, hostname, port, pathname }: URL): ScrapeJob {
  const scheme = protocol.slice(0, -1);
  const usualPort = scheme === "https" ? "443" : "80";
  const labels = { __metrics_path__: `${pathname.replace(/\/$/, "")}/metrics` };
  return {
    job: jobs.pushgateway,
    scheme,
    targets: [{ address: `${hostname}:${port || usualPort}`, labels }],
    // The pushed label `instance` is the registry's.
    honorLabels: true,
  };
}

/** A file for `scrape_config_files` of Prometheus. */
export function scrapeFile(scope: ScrapeScope): string {
  const configs = scrapeJobs(scope).map(({ job, scheme, targets, honorLabels }) => ({
    job_name: job,
    scheme,
    ...(honorLabels ? { honor_labels: true } : {}),
    static_configs: targets.map(({ address, labels }) => ({ targets: [address], labels })),
  }));
  return yamlText({ scrape_configs: configs });
}

/**
 * Spec of the operator's ScrapeConfig. The label `job` by relabeling: `job_name` is the operator's own.
 * Source: prometheus-operator, API reference, monitoring.coreos.com/v1alpha1.
 */
export function scrapeConfigSpec({ job, scheme, targets, honorLabels }: ScrapeJob) {
  return {
    scheme: scheme.toUpperCase(),
    honorLabels,
    staticConfigs: targets.map(({ address, labels }) => ({ targets: [address], labels })),
    relabelings: [{ targetLabel: "job", replacement: job, action: "Replace" }],
  };
}
