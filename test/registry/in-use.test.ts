import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { inUseRules } from "../../components/cluster/render/in-use.ts";
import type { InUseReport } from "../../contract/in-use-report.ts";
import { defaultMaxAgeMs } from "../../scripts/in-use-list/check-in-use.ts";
import { parseInUseOrigin, readInUseList } from "../../scripts/in-use-list/read-in-use.ts";
import { attestation, digest, image, index } from "../support/images/oci-content.ts";
import { regwardenProcess, withReport } from "../support/program.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { freePort } from "../support/server/free-port.ts";
import { type Kubernetes, startKubernetes } from "../support/server/kubernetes.ts";
import { startPushgateway } from "../support/server/service.ts";

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
/** What the bare pod pulled before its tag was overwritten. */
const former = digest(image("former", "linux/amd64"));
/** Status of a container, as containerd writes it. */
const runs = (container: string, image: string, pulled: string) => ({
  name: container,
  image,
  imageID: `${image.replace(/:[^:/]*$/, "")}@${pulled}`,
  ready: true,
  restartCount: 0,
  state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
});
const selector = { matchLabels: { app: "x" } };
const never = { restartPolicy: "Never" };

describe("the check of what a real cluster needs of a real registry", () => {
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
    await addNodes();
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
      status: { phase: "Running", containerStatuses: [runs("c0", `${name}/app:1`, former)] },
    });
    await fillFormer();
    await fillAccounts();
  }

  /** What nothing needs now, and a rollback or a restart by hand would need. */
  async function fillFormer(): Promise<void> {
    const controller = { apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: "x", controller: true };
    await kubernetes.create(`/apis/apps/v1/namespaces/${namespace}/replicasets`, {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: { name: "web-1", ownerReferences: [controller] },
      spec: { replicas: 0, selector, template: template([`${name}/app:0`, `${name}/app:1`]) },
    });
    await kubernetes.create(`/apis/batch/v1/namespaces/${namespace}/jobs`, {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "once" },
      spec: { suspend: true, template: template([`${name}/init:1`], never) },
    });
  }

  async function addNodes(): Promise<void> {
    for (const [node, architecture] of [
      ["one", "amd64"],
      ["two", "arm64"],
    ] as const) {
      const labels = { "kubernetes.io/arch": architecture, "kubernetes.io/os": "linux" };
      await kubernetes.create("/api/v1/nodes", {
        apiVersion: "v1",
        kind: "Node",
        metadata: { name: node, labels },
        status: { nodeInfo: nodeInfo(architecture) },
      });
    }
  }

  async function fillAccounts(): Promise<void> {
    const core = { apiVersion: "v1" };
    const rbac = { apiVersion: "rbac.authorization.k8s.io/v1" };
    for (const account of ["in-use", "unprivileged"])
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

  const brief = ({ report }: { readonly report: InUseReport }) =>
    report.broken.map(({ image, reason, workloads }) => [
      image.replace(`${name}/`, ""),
      reason,
      workloads.map(({ kind, name }) => `${kind}/${name}`).join(),
    ]);

  test("finds nothing where everything is there, with the rights of the cluster's own role", async () => {
    const outcome = await inUse();
    expect(outcome.stderr).toBe("");
    expect(outcome.report.problems).toEqual([]);
    expect(brief(outcome)).toEqual([]);
    expect(outcome.exitCode).toBe(0);
    expect(outcome.report).toMatchObject({
      schema: "regwarden/in-use/v1",
      complete: true,
      platforms: ["linux/amd64", "linux/arm64"],
      otherImages: 1,
      registries: [{ name, images: 5, workloads: 6, complete: true }],
    });
  });

  test("puts its list into the registry, where the programs on its host read it from the store", async () => {
    const origin = parseInUseOrigin("tag:private/regwarden/in-use:latest");
    if (origin === undefined) throw new Error("no origin");
    const read = () =>
      readInUseList(origin, () => registry.directory, {
        instances: [name],
        now: Date.now(),
        maxAgeMs: defaultMaxAgeMs,
      });
    expect(await read()).toMatchObject({ state: "unusable" });
    const publish = ["--publish", "regwarden/in-use:latest"];
    const outcome = await inUse(publish);
    expect([outcome.exitCode, outcome.stderr]).toEqual([0, ""]);
    expect(await registry.manifestStatus("regwarden/in-use", "latest")).toBe(200);
    expect(await read()).toMatchObject({ state: "usable" });
    await inUse(publish);
    // An incomplete one does not replace it.
    const unprivileged = await kubernetes.kubeconfigOf(namespace, "unprivileged");
    const incomplete = await inUse(publish, { KUBECONFIG: unprivileged });
    expect(incomplete.exitCode).toBe(3);
    expect(incomplete.stderr).toContain("not published");
    expect(await read()).toMatchObject({ state: "usable" });
  });

  test("lists all images of the registry, with what runs, for retention and collector to keep", async () => {
    const repository = (image: string) => image.slice(name.length + 1).split(/[:@]/)[0] ?? "";
    const entry = (image: string, digest: string, workloads: readonly string[], more: object = {}) => ({
      image: `${name}/${image}`,
      registry: name,
      repository: repository(`${name}/${image}`),
      tag: image.includes("@") ? null : image.split(":")[1],
      digest,
      digests: [],
      workloads: workloads.map((workload) => {
        const [kind, name] = workload.split("/");
        return { namespace, kind, name };
      }),
      isNeeded: true,
      state: "complete",
      ...more,
    });
    const { exitCode, report } = await inUse();
    const pair = index([amd64, arm64]);
    const expected = [
      entry("app:0", "", ["Deployment/web"], { digest: null, isNeeded: false, state: "absent" }),
      entry("app:1", digest(multi), ["Deployment/web", "Pod/bare"], { digests: [former] }),
      entry(`app@${digest(multi)}`, digest(multi), ["StatefulSet/db"]),
      entry("init:1", digest(amd64), ["Deployment/web", "Job/once"]),
      entry("never:1", digest(multi), ["CronJob/nightly"]),
      entry("single:1", digest(pair), ["DaemonSet/agent"]),
    ];
    expect(report.images).toEqual(expected);
    expect([exitCode, report.complete]).toEqual([0, true]);

    await registry.collectGarbage("-m");
    const damaged = await inUse();
    const states = ["absent", "broken", "broken", "complete", "broken", "broken"];
    expect(damaged.report.images).toEqual(expected.map((one, at) => ({ ...one, state: states[at] })));
    expect(damaged.report.complete).toBe(true);

    const refused = await inUse([], { REG_PASS: "not this one" });
    const unread = (one: object) => ({ ...one, digest: null, state: "unchecked" });
    expect(refused.report.images).toEqual(
      expected.map((one) => (one.image.includes("@") ? { ...one, state: "unchecked" } : unread(one))),
    );
    expect([refused.exitCode, refused.report.complete]).toEqual([3, false]);
    expect(refused.report.registries).toMatchObject([{ images: 0 }]);
  });

  test("could not check anything without a node", async () => {
    for (const node of ["one", "two"]) await kubernetes.remove(`/api/v1/nodes/${node}`);
    try {
      const { exitCode, report } = await inUse();
      expect([exitCode, report.complete, report.platforms]).toEqual([3, false, []]);
      expect(report.problems).toMatchObject([
        {
          message: expect.stringContaining("The cluster lists no node whose platform is known"),
          hint: expect.stringContaining("kubectl get nodes"),
        },
      ]);
      expect(report.registries).toMatchObject([{ images: 0, complete: false }]);
      expect(report.broken).toEqual([]);
      expect(report.images.map(({ digest, state }) => [digest, state])).toContainEqual([
        digest(multi),
        "unchecked",
      ]);
    } finally {
      await addNodes();
    }
  });

  test("does not take a registry that no workload names for one of which nothing is broken", async () => {
    const argv = ["in-use", "--json", "--registry", `registry.example.com=${registry.url}`];
    const outcome = withReport<InUseReport>(
      await regwardenProcess(argv, { ...account, KUBECONFIG: kubeconfig }),
    );
    expect([outcome.exitCode, outcome.report.complete, outcome.report.images]).toEqual([3, false, []]);
    expect(outcome.report.problems[0]?.message).toContain(
      "No workload of the cluster names an image of registry.example.com, and 7 images of other registries are named",
    );
  });

  test("names the workloads that the collection of untagged manifests takes down", async () => {
    await registry.collectGarbage("-m");
    const outcome = await inUse();
    expect(outcome.exitCode).toBe(1);
    expect(brief(outcome)).toEqual([
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

  test("checks the nodes' platforms only: what no node of a workload runs may be missing", async () => {
    await registry.push(arm64, "app", "keep");
    await registry.push(multi, "never", "keep");
    await registry.collectGarbage("-m");
    // Of app:1 only amd64 is missing now; the workload on the node with arm64 does not need it.
    const outcome = await inUse();
    expect(brief(outcome).filter(([image]) => image?.startsWith("app"))).toEqual([
      ["app:1", "broken", "Deployment/web,Pod/bare"],
    ]);
  });

  test("keeps apart what is absent, and what is not there for the platforms of the nodes", async () => {
    await registry.push(arm64, "init", "1");
    await registry.push(amd64, "single", "1");
    const { url } = registry;
    const tag = `${url}/v2/never/manifests/${digest(multi)}`;
    const headers = {
      authorization: `Basic ${Buffer.from(`${login.user}:${login.password}`).toString("base64")}`,
    };
    expect((await fetch(tag, { method: "DELETE", headers })).status).toBe(202);
    expect(brief(await inUse())).toEqual([
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

  test("reports what it may not list, a wrong password and a cluster that is down as not checked, and not as damage", async () => {
    const KUBECONFIG = await kubernetes.kubeconfigOf(namespace, "unprivileged");
    const forbidden = await inUse([], { KUBECONFIG });
    expect([forbidden.exitCode, forbidden.report.complete, forbidden.report.problems.length]).toEqual([
      3,
      false,
      8,
    ]);
    expect(forbidden.report.problems[0]?.message).toContain("/api/v1/nodes: answers 403 (forbidden)");
    const refused = await inUse([], { REG_PASS: "not this one" });
    expect([refused.exitCode, brief(refused)]).toEqual([3, []]);
    expect(refused.report.problems[0]?.hint).toContain("REG_USER and REG_PASS");
    expect(refused.stdout + refused.stderr).not.toContain("not this one");
    const elsewhere = join(await mkdtemp(join(tmpdir(), "regwarden-in-use-")), "kubeconfig");
    const stopped = `https://127.0.0.1:${await freePort()}`;
    await writeFile(elsewhere, (await readFile(kubeconfig, "utf8")).replace(kubernetes.url, stopped));
    const down = await inUse([], { KUBECONFIG: elsewhere });
    expect([down.exitCode, down.report.complete, brief(down)]).toEqual([3, false, []]);
    expect(down.report.problems[0]?.message).toContain(`${stopped}/api/v1/nodes: ECONNREFUSED`);
  });

  test("does not take another, empty registry in its place for one that has everything", async () => {
    const other = await startRegistry();
    try {
      const outcome = await inUse([], {}, other.url);
      expect(outcome.exitCode).toBe(1);
      expect(new Set(brief(outcome).map(([, reason]) => reason))).toEqual(new Set(["absent"]));
      expect(outcome.report.broken).toHaveLength(5);
    } finally {
      await other.dispose();
    }
  });

  test("prints which workloads are affected and what to do", async () => {
    await registry.collectGarbage("-m");
    const argv = ["in-use", "--registry", `${name}=${registry.url}`, "--kubeconfig", kubeconfig];
    const { stdout: text } = await regwardenProcess(argv, account);
    expect(text).toContain(`${name}: 5 images in use by 6 workloads; a rollback may need 1 more; `);
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
