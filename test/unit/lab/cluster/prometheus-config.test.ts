import { load } from "js-yaml";
import { expect, test } from "vitest";
import { prometheusConfig } from "../../../../lab/cluster/prometheus-config.ts";

interface ScrapeConfig {
  readonly job_name: string;
  readonly honor_labels?: boolean;
  readonly static_configs: readonly { targets: string[]; labels?: Record<string, string> }[];
}

interface PrometheusConfig {
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly ScrapeConfig[];
}

test("Prometheus scrapes each registry as a target of its own, the scan, and what was pushed", () => {
  const config = load(prometheusConfig("e2e", "/state/rules")) as PrometheusConfig;
  const jobs = config.scrape_configs;
  expect(jobs.map(({ job_name }) => job_name)).toEqual([
    "pushgateway",
    "registry",
    "scan",
    "disk",
    "maintenance",
  ]);
  expect(jobs[0]).toMatchObject({
    honor_labels: true,
    static_configs: [{ targets: ["127.77.0.2:9091"] }],
  });
  expect(jobs[1]?.static_configs).toHaveLength(6);
  expect(jobs[1]?.static_configs[0]).toEqual({
    targets: ["127.77.0.2:5001"],
    labels: { __metrics_path__: "/metrics/private", registry: "private" },
  });
  expect(jobs[2]?.static_configs[0]?.labels).toEqual({ __metrics_path__: "/metrics/scan" });
  expect(jobs[4]?.static_configs.map(({ labels }) => labels)).toContainEqual({
    __metrics_path__: "/metrics/freeze",
  });
  expect(config.rule_files).toEqual(["/state/rules/*.yaml"]);
});
