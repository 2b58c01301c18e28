import { dump } from "js-yaml";
import {
  diskMetricsPath,
  maintenanceMetricsPaths,
  registryMetricsPath,
  scanMetricsPath,
} from "../../contract/host-names.ts";
import { defaultCaches, privateRegistry } from "../../contract/registries.ts";
import { freezePaths } from "../../contract/write-freeze.ts";
import { addressesOf, type Instance, ports } from "../machine/instances.ts";
import { machinePorts } from "./endpoints.ts";

/** Seconds between two scrapes of the lab's Prometheus; a user's scrapes every 30 to 60. */
const intervalSeconds = 5;

const registries = [privateRegistry, ...defaultCaches.map(({ name }) => name)];

/** One path of the host's metrics port, as a target with labels of its own. */
function target(address: string, path: string, labels: Readonly<Record<string, string>>) {
  return { targets: [address], labels: { __metrics_path__: path, ...labels } };
}

/**
 * Configuration of the instance's Prometheus: what a user's would scrape. Job `registry` has a target for each registry,
 * distinguished by label `registry`; pushed metrics keep the labels that they were pushed with.
 */
export function prometheusConfig(instance: Instance, rulesDirectory: string): string {
  const { address } = addressesOf(instance);
  const host = `${address}:${ports.metrics}`;
  const interval = `${intervalSeconds}s`;
  return dump({
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: [`${rulesDirectory}/*.yaml`],
    scrape_configs: [
      {
        job_name: "pushgateway",
        honor_labels: true,
        static_configs: [{ targets: [`${address}:${machinePorts.pushgateway}`] }],
      },
      {
        job_name: "registry",
        static_configs: registries.map((name) => target(host, registryMetricsPath(name), { registry: name })),
      },
      { job_name: "scan", static_configs: [target(host, scanMetricsPath, {})] },
      { job_name: "disk", static_configs: [target(host, diskMetricsPath, {})] },
      {
        job_name: "maintenance",
        static_configs: [...Object.values(maintenanceMetricsPaths), freezePaths.metrics].map((path) =>
          target(host, path, {}),
        ),
      },
    ],
  });
}
