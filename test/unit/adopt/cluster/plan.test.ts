import * as v from "valibot";
import { describe, expect, test } from "vitest";
import type { ClusterFacts } from "../../../../adopt/cluster/facts.ts";
import { planCluster } from "../../../../adopt/cluster/plan.ts";
import { planAdoption } from "../../../../adopt/plan/plan.ts";
import { reportText } from "../../../../adopt/report.ts";
import { clusterEntries } from "../../../../config/cluster.ts";
import { formerFacts } from "../../../support/former-vm/facts.ts";
import { HOST_KEY } from "../../../support/program-stack/raw-config.ts";

const pushgateway = "http://prometheus-prometheus-pushgateway.monitoring:9091";
const former: ClusterFacts = {
  namespace: "monitoring",
  probe: {
    name: "registry-integrity-probe",
    managers: ["Terraform"],
    schedule: "*/15 * * * *",
    image: "docker.io/library/alpine:3.20",
    environment: {
      REGISTRY_HOST: "10.0.20.10:5050",
      REGISTRY_INSTANCE: "registry.example.com:5050",
      PUSHGATEWAY: `${pushgateway}/metrics/job/registry-integrity-probe`,
      TAGS_PER_REPO: "5",
    },
  },
  account: { name: "registry-probe-credentials", managers: ["Terraform"] },
  alerts: [
    { where: "ConfigMap prometheus-server", names: ["DockerRegistryDown", "RegistryIntegrityProbeStale"] },
  ],
  hasOperator: false,
  groups: { state: "read", groups: [{ job: "registry-integrity-probe", instance: "" }] },
};
const target = { context: "home", runbookUrl: "https://git.example.com/runbook.md" };
const plan = planCluster(former, target);

describe("the former monitoring", () => {
  test("is reproduced by a configuration that the schema takes", () => {
    expect(plan.value).toEqual({
      enabled: true,
      kubeconfigContext: "home",
      probe: { instance: "registry.example.com:5050" },
      alerts: { as: "configMap", runbookBaseUrl: "https://git.example.com/runbook.md" },
    });
    expect(v.safeParse(clusterEntries.cluster, plan.value).success).toBe(true);
    expect(plan.blockers).toEqual([]);
  });

  test("has two objects that are taken over in place, from Terraform", () => {
    expect(plan.takenOver).toEqual([
      expect.stringMatching(
        /^CronJob monitoring\/registry-integrity-probe, set by Terraform: .*terraform state rm/,
      ),
      expect.stringMatching(/^Secret monitoring\/registry-probe-credentials, set by Terraform/),
    ]);
  });

  test("has alerts and a group of the Pushgateway that stay until they are removed by hand", () => {
    expect(plan.stays.slice(1)).toEqual([
      expect.stringMatching(
        /^ConfigMap prometheus-server: DockerRegistryDown, .*fires from the first update on$/,
      ),
      expect.stringContaining(`curl -X DELETE ${pushgateway}/metrics/job/registry-integrity-probe`),
    ]);
  });

  test("has variables that the taken over object keeps, with the command that removes them", () => {
    expect(plan.stays[0]).toContain(
      "kubectl --namespace monitoring set env cronjob/registry-integrity-probe REGISTRY_HOST- TAGS_PER_REPO-",
    );
  });

  test("another one keeps its schedule, namespace and Pushgateway", () => {
    const probe = former.probe && {
      ...former.probe,
      schedule: "0 * * * *",
      environment: { PUSHGATEWAY: "http://push.metrics:9091/metrics/job/registry-integrity-probe" },
    };
    expect(
      planCluster({ ...former, probe, namespace: "metrics", hasOperator: true }, target).value,
    ).toMatchObject({
      namespace: "metrics",
      pushgatewayUrl: "http://push.metrics:9091",
      probe: { schedule: "0 * * * *" },
      alerts: { runbookBaseUrl: "https://git.example.com/runbook.md" },
    });
  });

  test("whose Pushgateway cannot be asked is no Pushgateway without groups", () => {
    const groups = { state: "unchecked", why: "answers 503" } as const;
    const { stays, unchecked } = planCluster({ ...former, groups }, target);
    expect(unchecked).toEqual(["the groups of the Pushgateway: answers 503"]);
    expect(stays).toHaveLength(2);
  });

  test("without the runbook's address is not ready", () => {
    expect(planCluster(former, { ...target, runbookUrl: undefined }).blockers).toEqual([
      expect.stringContaining("--runbook-url"),
    ]);
  });

  test("stands in the report of the whole", async () => {
    const host = { stack: "home", address: "10.0.20.10", sshPort: 22, sshUser: "root", hostKey: HOST_KEY };
    const all = planAdoption(formerFacts, { ...host, hostname: undefined }, plan);
    expect(all.values.cluster).toEqual(plan.value);
    const text = reportText(all, { stack: "home", file: "Pulumi.home.yaml", now: new Date("2026-11-22") });
    expect(text).toContain("In the cluster, taken over in place:\n  CronJob");
    await expect(text).toMatchFileSnapshot("expected/report.txt");
  });
});
