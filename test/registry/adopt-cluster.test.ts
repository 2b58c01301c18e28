import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { planCluster } from "../../adopt/cluster/plan.ts";
import { readCluster } from "../../adopt/cluster/read-cluster.ts";
import type { ClusterSettings } from "../../components/cluster/settings.ts";
import { accessOfKubeconfig, KubernetesClient } from "../../lab/cluster/kubernetes-client.ts";
import { pulumiHome } from "../../lab/machine/tools/pulumi.ts";
import { formerProbe, formerRules, formerSecret } from "../support/former-vm/cluster-objects.ts";
import { clusterNamespace, clusterStack, probeOnly } from "../support/server/cluster-stack.ts";
import { type Kubernetes, startKubernetes } from "../support/server/kubernetes.ts";

const namespace = clusterNamespace;
const settings: ClusterSettings = {
  ...probeOnly,
  pushgatewayUrl: "http://prometheus-prometheus-pushgateway.monitoring:9091",
};
const probePath = `/apis/batch/v1/namespaces/${namespace}/cronjobs/registry-integrity-probe`;
const secretPath = `/api/v1/namespaces/${namespace}/secrets/registry-probe-credentials`;

let kubernetes: Kubernetes;
let admin: KubernetesClient;
const directory = mkdtempSync(join(tmpdir(), "regwarden-adopt-"));

const stack = () =>
  clusterStack({
    ...{ name: "adopted", directory, settings, user: "builder", password: "former password 7421" },
    kubeconfig: readFileSync(kubernetes.kubeconfig, "utf8"),
  });

beforeAll(async () => {
  kubernetes = await startKubernetes();
  vi.stubEnv("PULUMI_HOME", pulumiHome());
  vi.stubEnv("PULUMI_BACKEND_URL", `file://${directory}`);
  vi.stubEnv("PULUMI_CONFIG_PASSPHRASE", "of these tests");
  vi.stubEnv("PULUMI_SKIP_UPDATE_CHECK", "true");
  admin = new KubernetesClient(accessOfKubeconfig(readFileSync(kubernetes.kubeconfig, "utf8")));
  await kubernetes.create("/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace },
  });
  const own = `/api/v1/namespaces/${namespace}`;
  await kubernetes.create(
    `/apis/batch/v1/namespaces/${namespace}/cronjobs?fieldManager=Terraform`,
    formerProbe,
  );
  await kubernetes.create(`${own}/secrets?fieldManager=Terraform`, formerSecret);
  await kubernetes.create(`${own}/configmaps?fieldManager=helm`, formerRules);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await kubernetes?.stop();
});

interface Found {
  readonly metadata: { readonly uid: string };
  readonly spec: {
    readonly jobTemplate: { readonly spec: { readonly template: { readonly spec: PodSpec } } };
  };
}
interface PodSpec {
  readonly restartPolicy: string;
  readonly containers: readonly { name: string; image: string; command: string[]; env: { name: string }[] }[];
}
const found = async (path: string) => (await admin.get(path)) as unknown as Found;

describe("the former monitoring of a cluster", { timeout: 400_000 }, () => {
  test("is read without its password", async () => {
    const facts = await readCluster({ kubeconfig: kubernetes.kubeconfig, context: "test", namespace });
    expect(facts).toMatchObject({
      probe: { managers: ["Terraform"], schedule: "*/15 * * * *", environment: { TAGS_PER_REPO: "5" } },
      account: { name: "registry-probe-credentials", managers: ["Terraform"] },
      alerts: [
        {
          where: "ConfigMap prometheus-server",
          names: ["DockerRegistryDown", "RegistryManifestIntegrityFailure", "RegistryIntegrityProbeStale"],
        },
      ],
      hasOperator: false,
      groups: { state: "unchecked" },
    });
    expect(JSON.stringify(facts)).not.toContain("former password");
    const plan = planCluster(facts, { context: "test", runbookUrl: settings.alerts.runbookBaseUrl });
    expect(plan.takenOver).toHaveLength(2);
  });

  test("is taken over in place: the same objects, of the stack from then on, and no difference is left", async () => {
    const before = [await found(probePath), await found(secretPath)].map(({ metadata }) => metadata.uid);
    const own = await stack();
    const said: string[] = [];
    const onOutput = (text: string) => said.push(text);
    await own.up({ onOutput, color: "never" }).catch((error) => expect.fail(`${said.join("")}\n${error}`));
    const after = [await found(probePath), await found(secretPath)];
    expect(after.map(({ metadata }) => metadata.uid)).toEqual(before);
    const { restartPolicy, containers } = (after[0] as Found).spec.jobTemplate.spec.template.spec;
    expect(restartPolicy).toBe("Never");
    expect(containers).toMatchObject([{ name: "registry-integrity-probe", image: settings.nodeImage }]);
    expect(containers[0]?.command.join(" ")).not.toContain("apk");
    // Fields that only another program set are not removed; the plan names the command that does.
    expect(containers[0]?.env.map(({ name }) => name)).toContain("TAGS_PER_REPO");
    await expect(own.preview({ refresh: true, expectNoChanges: true })).rejects.toThrow("to update");
    await admin.replace(
      probePath,
      withoutVariables(await found(probePath), ["REGISTRY_HOST", "TAGS_PER_REPO"]),
    );
    await own.preview({ refresh: true, expectNoChanges: true });
  });

  test("is drift and healed where its former owner changes it back", async () => {
    const name = "registry-integrity-probe";
    const containers = [{ name, image: "docker.io/library/alpine:3.20" }];
    const spec = { jobTemplate: { spec: { template: { spec: { containers } } } } };
    await admin.apply(probePath.replace(/\/[^/]*$/, ""), { ...formerProbe, spec } as never, "Terraform");
    const own = await stack();
    await expect(own.preview({ refresh: true, expectNoChanges: true })).rejects.toThrow("to update");
    await own.up({ color: "never" });
    await own.preview({ refresh: true, expectNoChanges: true });
    const [container] = (await found(probePath)).spec.jobTemplate.spec.template.spec.containers;
    expect(container?.image).toBe(settings.nodeImage);
  });
});

/** As `kubectl set env` with `NAME-` leaves it. */
function withoutVariables(job: Found, names: readonly string[]): Found {
  const copy = structuredClone(job);
  for (const container of copy.spec.jobTemplate.spec.template.spec.containers)
    container.env = container.env.filter(({ name }) => !names.includes(name));
  return copy;
}
