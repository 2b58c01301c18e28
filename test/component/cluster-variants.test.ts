import { load } from "js-yaml";
import { describe, expect, test, vi } from "vitest";
import { ALERTS, jobSpec, KUBECONFIG, podSpec, withCluster } from "../support/program-stack/cluster.ts";
import { isSecret, plain, run } from "../support/program-stack/engine.ts";

// The bundle is built by another step.
vi.mock("node:fs", async (original) => {
  const { withBundles } = await import("../support/program-stack/bundles.ts");
  return withBundles(await original());
});

const { default: registryStack } = await import("../../index.ts");

describe("variants of the cluster side", () => {
  test("share one run among shards", async () => {
    const stack = await run(registryStack, { config: withCluster({ probe: { shards: 4 } }) });
    expect(jobSpec(stack, "cluster-probe-cron-job")).toMatchObject({
      completions: 4,
      parallelism: 4,
      completionMode: "Indexed",
    });
    const [container] = podSpec(stack, "cluster-probe-cron-job").containers;
    expect(container?.command.slice(-2)).toEqual(["--shard", "$(JOB_COMPLETION_INDEX)/4"]);
  });

  test("reach the cluster by the kubeconfig's content, as a secret, and by the context that is named", async () => {
    const { find } = await run(registryStack, { config: withCluster({}) });
    for (const name of ["cluster", "cluster-creation"]) {
      const { context, kubeconfig } = find(name, "pulumi:providers:kubernetes").inputs;
      expect([context, isSecret(kubeconfig), plain(kubeconfig)]).toEqual(["home", true, KUBECONFIG]);
    }
  });

  test("make the namespace and the record of its owner as new, and leave the namespace when they go", async () => {
    const stack = await run(registryStack, { config: withCluster({ createNamespace: true }) });
    const creation = stack.find("cluster-creation", "pulumi:providers:kubernetes").inputs;
    // Without server-side apply, the API server refuses to make what is there.
    expect(String(creation.enableServerSideApply)).toBe("false");
    for (const name of ["cluster-namespace", "cluster-owner"])
      expect(stack.find(name).provider).toMatch(/::cluster-creation::/);
    expect([...stack.retained]).toEqual(["cluster-namespace"]);
    expect(stack.find("cluster-owner").inputs).toMatchObject({
      metadata: { name: "regwarden-owner", namespace: "monitoring" },
      data: { stack: "test", registry: "registry.example.com:5050" },
    });
  });

  test("need no certificate of a public authority", async () => {
    const stack = await run(registryStack, { config: withCluster({}) });
    const [container] = podSpec(stack, "cluster-probe-cron-job").containers;
    expect(container?.env.map(({ name }) => name)).not.toContain("NODE_EXTRA_CA_CERTS");
    expect(stack.declared.map(({ name }) => name)).not.toContain("cluster-programs-authority");
  });

  test("bring the same rules with and without the operator", async () => {
    const labels = ["release=prometheus"];
    const operator = await run(registryStack, {
      config: withCluster({ alerts: { ...ALERTS, labels } }),
    });
    const plainFile = await run(registryStack, {
      config: withCluster({ alerts: { ...ALERTS, as: "configMap" } }),
    });
    const rule = operator.find("cluster-alerts-rule").inputs;
    const { data } = plainFile.find("cluster-alerts-config-map").inputs as { data: Record<string, string> };
    expect(rule.metadata).toMatchObject({ labels: { release: "prometheus" } });
    expect(load(data["regwarden.rules.yaml"] ?? "")).toEqual(rule.spec);
  });

  test("bring the same scrape jobs with and without the operator, and none where it is scraped already", async () => {
    const labels = ["release=prometheus"];
    const scrape = (as: string) => withCluster({ scrape: { as, labels, pushgateway: true } });
    const operator = await run(registryStack, { config: scrape("scrapeConfig") });
    const plainFile = await run(registryStack, { config: scrape("configMap") });
    const configs = ["registry", "scan", "disk", "maintenance", "pushgateway"].map((job) =>
      operator.find(`cluster-scrape-${job}`),
    );
    expect(operator.declared.filter(({ type }) => type.endsWith(":ScrapeConfig"))).toHaveLength(5);
    const { data } = plainFile.find("cluster-scrape-config-map").inputs as { data: Record<string, string> };
    const file = load(data["regwarden.scrape.yaml"] ?? "") as {
      scrape_configs: { job_name: string; static_configs: unknown }[];
    };
    expect(configs.map(({ inputs }) => inputs.metadata)).toEqual(
      Array(5).fill(expect.objectContaining({ labels: expect.objectContaining({ release: "prometheus" }) })),
    );
    const specs = configs.map(
      ({ inputs }) => inputs.spec as { staticConfigs: unknown; relabelings: object[] },
    );
    expect(specs.map(({ staticConfigs }) => staticConfigs)).toEqual(
      file.scrape_configs.map(({ static_configs }) => static_configs),
    );
    expect(specs.map(({ relabelings }) => relabelings[0])).toEqual(
      file.scrape_configs.map(({ job_name }) => expect.objectContaining({ replacement: job_name })),
    );
    const none = await run(registryStack, { config: withCluster({}) });
    expect(none.declared.filter(({ name }) => name.includes("scrape"))).toEqual([]);
  });

  test("may do without the dashboard", async () => {
    const on = await run(registryStack, { config: withCluster({}) });
    expect(on.find("cluster-dashboard-config-map").inputs.metadata).toMatchObject({
      labels: { grafana_dashboard: "1" },
    });
    const off = await run(registryStack, { config: withCluster({ dashboard: { enabled: false } }) });
    expect(off.declared.filter(({ name }) => name.startsWith("cluster-dashboard"))).toEqual([]);
  });
});
