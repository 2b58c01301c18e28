import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { ClusterSettings } from "../../components/cluster/settings.ts";
import { byResource, changeOf, type ResourceChange } from "../../engine/changes.ts";
import { commentBody } from "../../engine/comment/body.ts";
import { accessOfKubeconfig, KubernetesClient } from "../../lab/cluster/kubernetes-client.ts";
import { prometheusRuleKind } from "../../lab/cluster/manifests.ts";
import { projectRoot } from "../../lab/machine/paths.ts";
import { pulumiHome } from "../../lab/machine/tools/pulumi.ts";
import { waitUntil } from "../../lab/machine/wait.ts";
import { clusterNamespace, clusterStack, probeOnly } from "../support/server/cluster-stack.ts";
import { type Kubernetes, startKubernetes } from "../support/server/kubernetes.ts";

const namespace = clusterNamespace;
const settings: ClusterSettings = {
  ...probeOnly,
  inUse: { ...probeOnly.inUse, enabled: true },
  alerts: { ...probeOnly.alerts, as: "prometheusRule" },
  scrape: { ...probeOnly.scrape, as: "configMap", pushgateway: true },
  dashboard: { enabled: true },
};

let kubernetes: Kubernetes;
let admin: KubernetesClient;
const directory = mkdtempSync(join(tmpdir(), "regwarden-access-"));

/** The cluster side alone, as a stack of its own, by the kubeconfig of an account. */
async function stackOf(
  name: string,
  kubeconfig: string,
  changed: Partial<ClusterSettings> = {},
  password = "its-password-7421",
) {
  const stack = await clusterStack({
    ...{ name, directory, kubeconfig, user: "probe", password },
    settings: { ...settings, ...changed },
  });
  const errors: string[] = [];
  const onError = (text: string) => errors.push(text);
  const onOutput = (text: string) => errors.push(text);
  return {
    up: () => stack.up({ onError, onOutput, color: "never" }),
    preview: () => stack.preview({ refresh: true, expectNoChanges: true }),
    /** What a preview would change, of the engine's own events. */
    changes: async () => {
      const changes: ResourceChange[] = [];
      await stack.preview({
        refresh: true,
        onEvent: (event) => {
          const change = changeOf(event);
          if (change) changes.push(change);
        },
      });
      return byResource(changes);
    },
    destroy: () => stack.destroy({ onError, onOutput, color: "never" }),
    /** What the engine said. */
    said: () => errors.join("\n"),
    state: () => readFileSync(join(directory, `.pulumi/stacks/regwarden/${name}.json`), "utf8"),
  };
}

const accountOf = async (name: string) =>
  readFileSync(await kubernetes.kubeconfigOf(namespace, name), "utf8");

beforeAll(async () => {
  kubernetes = await startKubernetes();
  vi.stubEnv("PULUMI_HOME", pulumiHome());
  vi.stubEnv("PULUMI_BACKEND_URL", `file://${directory}`);
  vi.stubEnv("PULUMI_CONFIG_PASSPHRASE", "of these tests");
  vi.stubEnv("PULUMI_SKIP_UPDATE_CHECK", "true");
  vi.stubEnv("KUBECONFIG", join(directory, "not-there"));
  admin = new KubernetesClient(accessOfKubeconfig(readFileSync(kubernetes.kubeconfig, "utf8")));
  for (const name of [namespace, "other", "foreign"])
    await kubernetes.create("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
    });
  for (const [where, name] of [
    ["other", "of-others"],
    [namespace, "of-grafana"],
  ])
    await kubernetes.create(`/api/v1/namespaces/${where}/secrets`, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: name ?? "" },
      stringData: { password: "of another program" },
    } as never);
  await admin.apply("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", prometheusRuleKind);
  await waitUntil("the kind PrometheusRule", 60, async () =>
    admin
      .get(`/apis/monitoring.coreos.com/v1/namespaces/${namespace}/prometheusrules`)
      .then(Boolean, () => false),
  );
  for (const object of loadAll(readFileSync(join(projectRoot, "docs/cluster-access.yaml"), "utf8")))
    await admin.apply(collectionOf(object as Applied), object as Applied);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await kubernetes?.stop();
});

interface Applied {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

function collectionOf({ apiVersion, kind, metadata }: Applied): string {
  const base = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
  const within = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
  return `${base}${within}/${kind.toLowerCase()}s`;
}

describe("the account of docs/cluster-access.yaml", { timeout: 400_000 }, () => {
  test("deploys the whole cluster side, sees that nothing differs, makes it smaller, and takes it down", async () => {
    const stack = await stackOf("prod", await accountOf("regwarden-deployer"));
    await stack.up().catch(() => expect.fail(stack.said()));
    await stack.preview();
    const { token } = accessOfKubeconfig(await accountOf("regwarden-deployer"));
    for (const secret of ["its-password-7421", token, kubernetes.url])
      expect(stack.state()).not.toContain(secret);
    const owner = `/api/v1/namespaces/${namespace}/configmaps/regwarden-owner`;
    expect(await admin.get(owner)).toMatchObject({ data: { stack: "prod" } });
    // The names of these, and the kind of each, are what the account may delete.
    const smaller = { inUse: { ...settings.inUse, enabled: false }, dashboard: { enabled: false } };
    const changed = await stackOf("prod", await accountOf("regwarden-deployer"), smaller);
    await changed.up().catch(() => expect.fail(changed.said()));
    expect(
      await admin.get(`/apis/batch/v1/namespaces/${namespace}/cronjobs/registry-in-use`),
    ).toBeUndefined();
    // As the manifest says for destroy: what waits for the end of a Secret would have to watch all of them.
    await admin.remove(`/api/v1/namespaces/${namespace}/secrets/registry-probe-credentials`);
    await changed.destroy().catch(() => expect.fail(changed.said()));
    expect(await admin.get(owner)).toBeUndefined();
  });

  test("reads no Secret of another namespace, and in its own none that is not the stack's", async () => {
    const account = new KubernetesClient(accessOfKubeconfig(await accountOf("regwarden-deployer")));
    for (const path of [
      "/api/v1/namespaces/other/secrets/of-others",
      `/api/v1/namespaces/${namespace}/secrets/of-grafana`,
      `/api/v1/namespaces/${namespace}/secrets`,
      "/api/v1/secrets",
    ])
      await expect(account.get(path)).rejects.toThrow("answers 403");
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "made" } };
    await expect(account.apply(`/api/v1/namespaces/${namespace}/secrets`, secret)).rejects.toThrow(
      "answers 403",
    );
  });
});

describe("a namespace", { timeout: 400_000 }, () => {
  test("that another stack has is refused, and nothing of that stack is touched", async () => {
    const kubeconfig = readFileSync(kubernetes.kubeconfig, "utf8");
    const first = await stackOf("first", kubeconfig);
    await first.up();
    const second = await stackOf("second", kubeconfig);
    await expect(second.up()).rejects.toThrow();
    expect(second.said()).toContain('configmaps "regwarden-owner" already exists');
    await first.preview();
    await second.destroy();
    await first.preview();
    await first.destroy();
  });

  test("that is there already is not taken over by createNamespace: neither relabelled nor removed", async () => {
    const path = "/api/v1/namespaces/foreign";
    const labels = async () => ((await admin.get(path)) as { metadata: { labels: object } }).metadata.labels;
    const before = await labels();
    const kubeconfig = readFileSync(kubernetes.kubeconfig, "utf8");
    const stack = await stackOf("greedy", kubeconfig, { namespace: "foreign", createNamespace: true });
    await expect(stack.up()).rejects.toThrow();
    expect(stack.said()).toContain('namespaces "foreign" already exists');
    expect(await labels()).toEqual(before);
    await stack.destroy();
    expect(await labels()).toEqual(before);
  });

  test("that the stack has made stays when the stack goes, as others may have put something into it", async () => {
    const kubeconfig = readFileSync(kubernetes.kubeconfig, "utf8");
    const stack = await stackOf("own", kubeconfig, { namespace: "own", createNamespace: true });
    await stack.up().catch(() => expect.fail(stack.said()));
    await stack.destroy();
    expect(await admin.get("/api/v1/namespaces/own")).toMatchObject({
      metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
      status: { phase: "Active" },
    });
  });
});

describe("the comment of a preview", { timeout: 400_000 }, () => {
  test("has what the engine finds, line by line, and no secret: not of a new password, not of one that was edited", async () => {
    const kubeconfig = readFileSync(kubernetes.kubeconfig, "utf8");
    const stack = await stackOf("comment", kubeconfig);
    await stack.up().catch(() => expect.fail(stack.said()));
    const secrets = `/api/v1/namespaces/${namespace}/secrets/registry-probe-credentials`;
    const edited = Buffer.from("edited-by-hand-7421").toString("base64");
    await admin.merge(secrets, { data: { REG_USER: edited } }, "kubectl-edit");
    await admin.merge(
      `/apis/batch/v1/namespaces/${namespace}/cronjobs/registry-integrity-probe`,
      { spec: { suspend: true } },
      "kubectl-edit",
    );
    const probe = { ...settings.probe, schedule: "*/5 * * * *" };
    const smaller = { probe, dashboard: { enabled: false } };
    const next = await stackOf("comment", kubeconfig, smaller, "another-password-7421");
    const changes = await next.changes();
    const facts = { stack: "comment", commit: undefined, runUrl: undefined, maxBytes: 65_536 };
    const text = commentBody({ kind: "changes", changes }, facts);
    expect(text).toContain("@@ spec.schedule @@\n-*/15 * * * *\n+*/5 * * * *\n");
    expect(text).toContain("@@ spec.suspend @@\n-true\n+false\n");
    expect(text).toMatch(/@@ data\S* @@\n-\[secret\]\n\+\[secret\]\n/);
    expect(text).toMatch(/\| `delete` \| `ConfigMap` \| `cluster-dashboard-config-map` \|/);
    const hidden = ["its-password-7421", "another-password-7421", "edited-by-hand-7421"];
    for (const secret of hidden) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(secret).toString("base64").slice(0, -4));
    }
    await stack.destroy();
  });
});
