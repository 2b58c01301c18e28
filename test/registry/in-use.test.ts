import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { inUseRules } from "../../components/cluster/render/in-use.ts";
import type { InUseReport } from "../../contract/in-use-report.ts";
import { freePort } from "../support/free-port.ts";
import { type Kubernetes, startKubernetes } from "../support/kubernetes.ts";
import { attestation, digest, image, index } from "../support/oci-content.ts";
import { regwardenProcess, withReport } from "../support/program.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { startPushgateway } from "../support/service.ts";

const login = { user: "ci", password: "correct horse" };
const account = { REG_USER: login.user, REG_PASS: login.password };
/** What images name the registry by; where it is asked is another matter. */
const name = "registry.example.com:5050";

const amd64 = image("amd64", "linux/amd64");
const arm64 = image("arm64", "linux/arm64");
const multi = index([amd64, arm64, attestation(amd64)]);
const namespace = "shop";
const template = (images: readonly string[], more: object = {}) => ({
  metadata: { labels: { app: "x" } },
  spec: { containers: images.map((image, at) => ({ name: `c${at}`, image })), ...more },
});
const selector = { matchLabels: { app: "x" } };
const never = { restartPolicy: "Never" };

describe("a look at what a real cluster needs of a real registry", () => {
  let kubernetes: Kubernetes;
  let kubeconfig: string;
  let registry: Registry;

  async function inUse(
    flags: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
    url = registry.url,
  ) {
    const argv = ["in-use", "--json", "--registry", `${name}=${url}`, ...flags];
    const all = { ...account, KUBECONFIG: kubeconfig, ...environment };
    return withReport<InUseReport>(await regwardenProcess(argv, all));
  }

  const apps = (kind: string, name: string, spec: object) =>
    kubernetes.create(`/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s`, {
      apiVersion: "apps/v1",
      kind,
      metadata: { name },
      spec: { selector, ...spec },
    });

  async function fillCluster(): Promise<void> {
    const core = { apiVersion: "v1" };
    await kubernetes.create("/api/v1/namespaces", {
      ...core,
      kind: "Namespace",
      metadata: { name: namespace },
    });
    for (const [node, architecture] of [
      ["one", "amd64"],
      ["two", "arm64"],
    ] as const) {
      const labels = { "kubernetes.io/arch": architecture, "kubernetes.io/os": "linux" };
      await kubernetes.create("/api/v1/nodes", {
        ...core,
        kind: "Node",
        metadata: { name: node, labels },
        status: { nodeInfo: nodeInfo(architecture) },
      });
    }
    await apps("Deployment", "web", {
      template: template([`${name}/app:1`, "nginx:1"], {
        nodeSelector: { "kubernetes.io/arch": "amd64" },
        initContainers: [{ name: "first", image: `${name}/init:1` }],
      }),
    });
    await apps("StatefulSet", "db", {
      serviceName: "db",
      template: template([`${name}/app@${digest(multi)}`], { nodeName: "two" }),
    });
    await apps("DaemonSet", "agent", { template: template([`${name}/single:1`]) });
    await kubernetes.create(`/apis/batch/v1/namespaces/${namespace}/cronjobs`, {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: "nightly" },
      spec: {
        schedule: "0 0 * * *",
        jobTemplate: { spec: { template: template([`${name}/never:1`], never) } },
      },
    });
    await kubernetes.create(`/api/v1/namespaces/${namespace}/pods`, {
      ...core,
      kind: "Pod",
      metadata: { name: "bare" },
      spec: template([`${name}/app:1`]).spec,
    });
    await fillAccounts();
  }

  async function fillAccounts(): Promise<void> {
    const core = { apiVersion: "v1" };
    const rbac = { apiVersion: "rbac.authorization.k8s.io/v1" };
    for (const account of ["in-use", "nobody"])
      await kubernetes.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
        ...core,
        kind: "ServiceAccount",
        metadata: { name: account },
      });
    const roles = "/apis/rbac.authorization.k8s.io/v1";
    const metadata = { name: "in-use" };
    await kubernetes.create(`${roles}/clusterroles`, {
      ...rbac,
      kind: "ClusterRole",
      metadata,
      rules: inUseRules(),
    });
    await kubernetes.create(`${roles}/clusterrolebindings`, {
      ...rbac,
      kind: "ClusterRoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "in-use" },
      subjects: [{ kind: "ServiceAccount", name: "in-use", namespace }],
    });
  }

  beforeAll(async () => {
    kubernetes = await startKubernetes();
    await fillCluster();
    kubeconfig = await kubernetes.kubeconfigOf(namespace, "in-use");
  });
  afterAll(() => kubernetes.stop());
  beforeEach(async () => {
    registry = await startRegistry(login);
    await registry.push(multi, "app", "1");
    await registry.push(amd64, "init", "1");
    await registry.push(index([amd64, arm64]), "single", "1");
    await registry.push(multi, "never", "1");
  });
  afterEach(() => registry.dispose());

  const told = ({ report }: { readonly report: InUseReport }) =>
    report.broken.map(({ image, reason, workloads }) => [
      image.replace(`${name}/`, ""),
      reason,
      workloads.map(({ kind, name }) => `${kind}/${name}`).join(),
    ]);

  test("finds nothing where all is there, with the rights of the cluster's own role", async () => {
    const outcome = await inUse();
    expect(outcome.stderr).toBe("");
    expect(outcome.report.problems).toEqual([]);
    expect(told(outcome)).toEqual([]);
    expect(outcome.exitCode).toBe(0);
    expect(outcome.report).toMatchObject({
      schema: "regwarden/in-use/v1",
      complete: true,
      platforms: ["linux/amd64", "linux/arm64"],
      otherImages: 1,
      registries: [{ name, images: 5, workloads: 5, complete: true }],
    });
  });

  test("names the workloads that the collection of untagged manifests takes down", async () => {
    await registry.collectGarbage("-m");
    const outcome = await inUse();
    expect(outcome.exitCode).toBe(1);
    expect(told(outcome)).toEqual([
      ["app:1", "broken", "Deployment/web,Pod/bare"],
      [`app@${digest(multi)}`, "broken", "StatefulSet/db"],
      ["never:1", "broken", "CronJob/nightly"],
      ["single:1", "broken", "DaemonSet/agent"],
    ]);
    const [web] = outcome.report.broken;
    expect(web?.message).toContain("Deployment shop/web, Pod shop/bare cannot start a new pod.");
    const onTwo = outcome.report.broken[1]?.findings.map(({ platform }) => platform);
    expect(onTwo).toEqual(["linux/arm64"]);
  });

  test("looks at the nodes' platforms only: what no node of a workload runs may be lost", async () => {
    await registry.push(arm64, "app", "keep");
    await registry.push(multi, "never", "keep");
    await registry.collectGarbage("-m");
    // Of app:1 only amd64 is lost now; the workload on the node with arm64 does not need it.
    const outcome = await inUse();
    expect(told(outcome).filter(([image]) => image?.startsWith("app"))).toEqual([
      ["app:1", "broken", "Deployment/web,Pod/bare"],
    ]);
  });

  test("keeps apart what is absent, and what is not there for the nodes", async () => {
    await registry.push(arm64, "init", "1");
    await registry.push(amd64, "single", "1");
    const { url } = registry;
    const tag = `${url}/v2/never/manifests/${digest(multi)}`;
    const headers = {
      authorization: `Basic ${Buffer.from(`${login.user}:${login.password}`).toString("base64")}`,
    };
    expect((await fetch(tag, { method: "DELETE", headers })).status).toBe(202);
    expect(told(await inUse())).toEqual([
      ["init:1", "platform", "Deployment/web"],
      ["never:1", "absent", "CronJob/nightly"],
      ["single:1", "platform", "DaemonSet/agent"],
    ]);
  });

  test("puts one group, in which each broken image names its workload, and the next run takes it back", async () => {
    const gateway = await startPushgateway();
    const read = async () => (await fetch(`${gateway.url}/metrics`)).text();
    try {
      await registry.collectGarbage("-m");
      expect((await inUse(["--pushgateway", gateway.url])).exitCode).toBe(1);
      const first = await read();
      expect(first).toContain(
        `regwarden_in_use_broken{image="${name}/app:1",instance="${name}",job="registry-in-use",` +
          'namespace="shop",reason="broken",workload="web",workload_type="Deployment"} 1\n',
      );
      expect(first).toContain(`regwarden_in_use_complete{instance="${name}",job="registry-in-use"} 1\n`);
      for (const repository of ["app", "never"]) await registry.push(multi, repository, "1");
      await registry.push(index([amd64, arm64]), "single", "1");
      expect((await inUse(["--pushgateway", gateway.url])).exitCode).toBe(0);
      expect(await read()).not.toContain("regwarden_in_use_broken{");
      await registry.stop();
      expect((await inUse(["--pushgateway", gateway.url])).exitCode).toBe(3);
      const last = await read();
      expect(last).toContain(`regwarden_in_use_complete{instance="${name}",job="registry-in-use"} 0\n`);
      expect(last).not.toContain("regwarden_in_use_success");
    } finally {
      await gateway.stop();
    }
  });

  test("tells what it may not list, a wrong password and a cluster that is down from damage", async () => {
    const KUBECONFIG = await kubernetes.kubeconfigOf(namespace, "nobody");
    const forbidden = await inUse([], { KUBECONFIG });
    expect([forbidden.exitCode, forbidden.report.complete, forbidden.report.problems.length]).toEqual([
      3,
      false,
      8,
    ]);
    expect(forbidden.report.problems[0]?.message).toContain("/api/v1/nodes: answers 403 (forbidden)");
    const refused = await inUse([], { REG_PASS: "not this one" });
    expect([refused.exitCode, told(refused)]).toEqual([3, []]);
    expect(refused.report.problems[0]?.hint).toContain("REG_USER and REG_PASS");
    expect(refused.stdout + refused.stderr).not.toContain("not this one");
    const elsewhere = join(await mkdtemp(join(tmpdir(), "regwarden-in-use-")), "kubeconfig");
    const nobody = `https://127.0.0.1:${await freePort()}`;
    await writeFile(elsewhere, (await readFile(kubeconfig, "utf8")).replace(kubernetes.url, nobody));
    const down = await inUse([], { KUBECONFIG: elsewhere });
    expect([down.exitCode, down.report.complete, told(down)]).toEqual([3, false, []]);
    expect(down.report.problems[0]?.message).toContain(`${nobody}/api/v1/nodes: ECONNREFUSED`);
  });

  test("does not take another, empty registry in its place for one that has everything", async () => {
    const other = await startRegistry();
    try {
      const outcome = await inUse([], {}, other.url);
      expect(outcome.exitCode).toBe(1);
      expect(new Set(told(outcome).map(([, reason]) => reason))).toEqual(new Set(["absent"]));
      expect(outcome.report.broken).toHaveLength(5);
    } finally {
      await other.dispose();
    }
  });

  test("people read who is hit and what to do", async () => {
    await registry.collectGarbage("-m");
    const argv = ["in-use", "--registry", `${name}=${registry.url}`, "--kubeconfig", kubeconfig];
    const { stdout: text } = await regwardenProcess(argv, account);
    expect(text).toContain(`${name}: 5 images in use by 5 workloads; `);
    expect(text).toContain(`  - ${name}/single:1 is broken in the registry: `);
    expect(text).toContain("\n    hint: do not restart, drain or scale before it is back; ");
    expect(text).toContain("4 images in use are broken.\n");
  });
});

function nodeInfo(architecture: string) {
  const empty = ["bootID", "containerRuntimeVersion", "kernelVersion", "kubeletVersion", "kubeProxyVersion"];
  const more = ["machineID", "osImage", "systemUUID"];
  return {
    ...Object.fromEntries([...empty, ...more].map((field) => [field, ""])),
    operatingSystem: "linux",
    architecture,
  };
}
