import { expect, test } from "vitest";
import { parse } from "yaml";
import { kubeconfig } from "../../../../lab/cluster/api-server.ts";
import { clusterConfiguration } from "../../../../lab/cluster/configuration.ts";
import { belongsTo } from "../../../../lab/cluster/daemon.ts";
import { gatewayOf, urlsOf } from "../../../../lab/cluster/endpoints.ts";
import { prometheusConfig } from "../../../../lab/cluster/prometheus-config.ts";
import { servicePolicy } from "../../../../lab/machine/service-policy.ts";
import { stagingGoMod } from "../../../../lab/machine/tools/go-builds.ts";

interface ScrapeConfig {
  readonly job_name: string;
  readonly honor_labels?: boolean;
  readonly static_configs: readonly { targets: string[]; labels?: Record<string, string> }[];
}

test("Prometheus scrapes each registry as a target of its own, the scan, and what was pushed", () => {
  const config = parse(prometheusConfig("e2e", "/state/rules"));
  const jobs = config.scrape_configs as ScrapeConfig[];
  expect(jobs.map(({ job_name }) => job_name)).toEqual(["pushgateway", "registry", "scan"]);
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
  expect(config.rule_files).toEqual(["/state/rules/*.yaml"]);
});

test("pods push to the machine's address on the instance's network, because its loopback is not theirs", () => {
  expect(gatewayOf("lab")).toBe("172.31.71.1");
  expect(clusterConfiguration("lab")["cluster.pushgatewayUrl"]?.value).toBe("http://172.31.71.1:9091");
  expect(urlsOf("lab").pushgateway).toBe("http://127.77.0.1:9091");
});

test("the kubeconfig has the authority, and never says that the certificate need not be verified", () => {
  const text = kubeconfig("lab", { url: "https://127.77.0.1:6443", authority: "PEM", token: "t" });
  const { cluster } = JSON.parse(text).clusters[0];
  expect(cluster).toEqual({
    server: "https://127.77.0.1:6443",
    "certificate-authority-data": Buffer.from("PEM").toString("base64"),
  });
});

test("a process is a daemon's only when its arguments name the daemon's own directory", () => {
  const daemon = { name: "etcd", directory: "/project/.lab/lab/cluster/etcd" };
  expect(belongsTo(daemon, ["etcd", "--data-dir=/project/.lab/lab/cluster/etcd/data"])).toBe(true);
  expect(belongsTo(daemon, ["etcd", "--data-dir=/project/.lab/lab/cluster/etcd-other/data"])).toBe(false);
  expect(belongsTo(daemon, ["vim"])).toBe(false);
  expect(belongsTo(daemon, undefined)).toBe(false);
});

test("staging modules of Kubernetes take their tags of the same release", () => {
  const own =
    "module k8s.io/kubernetes\n\ngo 1.26.0\n\nreplace (\n\tk8s.io/api => ./staging/src/k8s.io/api\n\tk8s.io/kube-aggregator => ./staging/src/k8s.io/kube-aggregator\n)\n";
  expect(stagingGoMod(own, "v1.36.3")).toBe(`module lab.invalid/toolchain

go 1.26.0

require k8s.io/kubernetes v1.36.3

replace (
\tk8s.io/api => k8s.io/api v0.36.3
\tk8s.io/kube-aggregator => k8s.io/kube-aggregator v0.36.3
)
`);
});

test("while packages are installed, only the services that the lab runs itself are refused", () => {
  expect(servicePolicy(["etcd", "prometheus"])).toContain(
    "etcd | etcd.service | prometheus | prometheus.service) exit 101",
  );
});
