import { describe, expect, test, vi } from "vitest";
import { ALERTS, podSpec, withCluster } from "../support/program-stack/cluster.ts";
import { run } from "../support/program-stack/engine.ts";
import { faultsOf } from "../support/program-stack/faults.ts";
import { CONFIG } from "../support/program-stack/stack.ts";

// The bundle is built by another step.
vi.mock("node:fs", async (original) => {
  const { withBundles } = await import("../support/program-stack/bundles.ts");
  return withBundles(await original());
});

const { default: registryStack } = await import("../../index.ts");

const inUse = { enabled: true };
const ON = { ...withCluster({ inUse }), tlsAuthority: CONFIG.tlsCertificate ?? "" };
const alertNames = (stack: Awaited<ReturnType<typeof run>>) => {
  const { spec } = stack.find("cluster-alerts-rule").inputs as {
    spec: { groups: { rules: { alert: string; expr: string }[] }[] };
  };
  return spec.groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
};

describe("the check of the images in use", () => {
  test("is off unless it is asked for, alerts included", async () => {
    const stack = await run(registryStack, { config: withCluster({}) });
    expect(stack.declared.filter(({ name }) => name.startsWith("cluster-in-use"))).toEqual([]);
    expect(alertNames(stack).filter((name) => name.includes("InUse"))).toEqual([]);
  });

  test.each([false, true])("is these resources, in a preview: %s", async (preview) => {
    const stack = await run(registryStack, { config: ON, preview });
    const own = stack.declared.filter(({ name }) => name.startsWith("cluster-in-use-"));
    expect(own.map(({ type }) => type).sort()).toEqual([
      "kubernetes:batch/v1:CronJob",
      "kubernetes:core/v1:ServiceAccount",
      "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
      "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
    ]);
    for (const { name, inputs, provider } of own) {
      expect(provider, name).toMatch(/pulumi:providers:kubernetes::cluster::/);
      expect(inputs.metadata, name).toMatchObject({ annotations: { "pulumi.com/patchForce": "true" } });
    }
    expect(alertNames(stack)).toContain("RegistryImageInUseBroken");
  });

  test("may list nodes, pods and what owns pods, and nothing else", async () => {
    const stack = await run(registryStack, { config: ON });
    const { metadata, rules } = stack.find("cluster-in-use-cluster-role").inputs;
    expect(metadata).toMatchObject({ name: "registry-in-use-monitoring" });
    expect(metadata).not.toHaveProperty("namespace");
    expect(rules).toEqual([
      { apiGroups: [""], resources: ["nodes", "pods"], verbs: ["list"] },
      {
        apiGroups: ["apps"],
        resources: ["daemonsets", "deployments", "replicasets", "statefulsets"],
        verbs: ["list"],
      },
      { apiGroups: ["batch"], resources: ["cronjobs", "jobs"], verbs: ["list"] },
    ]);
    expect(stack.find("cluster-in-use-cluster-role-binding").inputs).toMatchObject({
      roleRef: { kind: "ClusterRole", name: "registry-in-use-monitoring" },
      subjects: [{ kind: "ServiceAccount", name: "registry-in-use", namespace: "monitoring" }],
    });
  });

  test("runs the probe's program with its account, in a hardened pod, which alone has a token", async () => {
    const stack = await run(registryStack, { config: ON });
    const pod = podSpec(stack, "cluster-in-use-cron-job");
    const probe = podSpec(stack, "cluster-probe-cron-job");
    expect(pod).toMatchObject({
      serviceAccountName: "registry-in-use",
      automountServiceAccountToken: true,
      securityContext: probe.securityContext,
      volumes: probe.volumes,
    });
    expect(probe.automountServiceAccountToken).toBe(false);
    expect(stack.find("cluster-in-use-service-account").inputs).toMatchObject({
      automountServiceAccountToken: false,
    });
    const [container] = pod.containers;
    expect(container).toMatchObject({
      name: "registry-in-use",
      command: [
        "node",
        "/opt/regwarden/regwarden.mjs",
        "in-use",
        ...["--publish", "regwarden/in-use:latest"],
      ],
      securityContext: probe.containers[0]?.securityContext,
      volumeMounts: probe.containers[0]?.volumeMounts,
    });
    const own = probe.containers[0]?.env.filter(({ name }) => name !== "SENTINEL_REPOSITORY");
    expect(container?.env).toEqual(own);
    expect(stack.find("cluster-in-use-cron-job").inputs).toMatchObject({
      metadata: { name: "registry-in-use", namespace: "monitoring" },
      spec: { schedule: "7-59/15 * * * *", suspend: false, concurrencyPolicy: "Forbid" },
    });
  });

  test("names the registry as images do, whatever the probe's metrics call it", async () => {
    const stack = await run(registryStack, {
      config: withCluster({ inUse, probe: { instance: "home" } }),
    });
    const [container] = podSpec(stack, "cluster-in-use-cron-job").containers;
    expect(container?.env).toContainEqual({ name: "REGISTRY_INSTANCE", value: "registry.example.com:5050" });
  });

  test("refuses what the API server would refuse later, all at once", () => {
    const bad = { enabled: "yes", schedule: "hourly", memoryLimit: "1", more: 1 };
    const cluster = JSON.stringify({ enabled: true, alerts: ALERTS, inUse: bad });
    const { keys } = faultsOf({ cluster });
    expect(keys.sort()).toEqual(
      ["enabled", "memoryLimit", "more", "schedule"].map((key) => `cluster.inUse.${key}`),
    );
  });
});
