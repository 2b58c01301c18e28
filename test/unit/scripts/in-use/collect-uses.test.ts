import * as v from "valibot";
import { describe, expect, test } from "vitest";
import {
  cronJobSchema,
  jobSchema,
  nodeSchema,
  podSchema,
  workloadSchema,
} from "../../../../scripts/in-use/cluster/objects.ts";
import { collectUses, type ImageUse } from "../../../../scripts/in-use/collect-uses.ts";

const node = (name: string, architecture: string, labels: Readonly<Record<string, string>> = {}) =>
  v.parse(nodeSchema, {
    metadata: { name, labels: { "kubernetes.io/arch": architecture, ...labels } },
    status: { nodeInfo: { operatingSystem: "linux", architecture } },
  });
const template = (image: string, more: object = {}) => ({ spec: { containers: [{ image }], ...more } });
const metadata = (name: string, owner?: { kind: string; name: string }) => ({
  name,
  namespace: "shop",
  uid: `uid-${name}`,
  ...(owner && {
    ownerReferences: [
      { kind: "Other", name: "not-the-controller", uid: "x" },
      { ...owner, uid: `uid-${owner.name}`, controller: true },
    ],
  }),
});
const workload = (name: string, image: string, owner?: { kind: string; name: string }, replicas?: number) =>
  v.parse(workloadSchema, { metadata: metadata(name, owner), spec: { replicas, template: template(image) } });
const pod = (name: string, spec: object, owner?: { kind: string; name: string }, phase = "Running") =>
  v.parse(podSchema, { metadata: metadata(name, owner), spec, status: { phase } });
const job = (name: string, image: string, owner?: { kind: string; name: string }, condition?: string) =>
  v.parse(jobSchema, {
    metadata: metadata(name, owner),
    spec: { template: template(image) },
    status: condition ? { conditions: [{ type: condition, status: "True" }] } : {},
  });
const nothing = {
  nodes: [node("one", "amd64"), node("two", "arm64", { disk: "fast", size: "8" })],
  pods: [],
  deployments: [],
  statefulSets: [],
  daemonSets: [],
  replicaSets: [],
  jobs: [],
  cronJobs: [],
};
const brief = (objects: Partial<Parameters<typeof collectUses>[0]>) =>
  collectUses({ ...nothing, ...objects })
    .filter(({ isNeeded }) => isNeeded)
    .map(inWords);
const inWords = ({ image, workload: { namespace, kind, name } }: ImageUse) =>
  `${image} ${namespace}/${kind}/${name}`;

describe("the workload that needs an image", () => {
  test("is the first owner, named once, however many stand between", () => {
    const web = { kind: "Deployment", name: "web" };
    const set = { kind: "ReplicaSet", name: "web-1" };
    expect(
      brief({
        deployments: [workload("web", "app:1")],
        replicaSets: [workload("web-1", "app:1", web), workload("web-0", "app:0", web, 0)],
        pods: [pod("web-1-a", template("app:1").spec, set), pod("web-1-b", template("app:1").spec, set)],
      }),
    ).toEqual(["app:1 shop/Deployment/web"]);
  });

  test("is of whatever kind the controller is, and the pod itself without one", () => {
    expect(
      brief({
        replicaSets: [
          workload("roll-1", "app:1", { kind: "Rollout", name: "roll" }),
          workload("bare", "bare:1"),
        ],
        pods: [
          pod("roll-1-a", template("app:1").spec, { kind: "ReplicaSet", name: "roll-1" }),
          pod("alone", template("alone:1").spec),
          pod("static", template("static:1").spec, { kind: "Node", name: "one" }),
        ],
      }),
    ).toEqual([
      "bare:1 shop/ReplicaSet/bare",
      "app:1 shop/Rollout/roll",
      "alone:1 shop/Pod/alone",
      "static:1 shop/Pod/static",
    ]);
  });

  test("is none whose work is done", () => {
    const nightly = { kind: "CronJob", name: "nightly" };
    const cronJobs = [
      v.parse(cronJobSchema, {
        metadata: metadata("nightly"),
        spec: { jobTemplate: { spec: { template: template("new:1") } } },
      }),
    ];
    expect(
      brief({
        cronJobs,
        jobs: [
          job("nightly-1", "old:1", nightly, "Complete"),
          job("nightly-2", "running:1", nightly),
          job("once", "failed:1", undefined, "Failed"),
          job("again", "again:1"),
        ],
        pods: [
          pod("ended", template("ended:1").spec, undefined, "Succeeded"),
          pod("evicted", template("evicted:1").spec, undefined, "Failed"),
        ],
      }),
    ).toEqual(["new:1 shop/CronJob/nightly", "running:1 shop/CronJob/nightly", "again:1 shop/Job/again"]);
  });

  test("also names images that it only needs again after a rollback, a scale-up or a replacement", () => {
    const web = { kind: "Deployment", name: "web" };
    const uses = collectUses({
      ...nothing,
      deployments: [workload("web", "app:2")],
      replicaSets: [
        workload("web-2", "app:2", web, 3),
        workload("web-1", "app:1", web, 0),
        workload("bare", "bare:1", undefined, 0),
      ],
      jobs: [job("once", "job:1", undefined, "Complete")],
      pods: [pod("ended", template("ended:1").spec, undefined, "Succeeded")],
    });
    expect(uses.map((use) => `${inWords(use)} ${use.isNeeded}`)).toEqual([
      "app:2 shop/Deployment/web true",
      "app:2 shop/Deployment/web false",
      "app:1 shop/Deployment/web false",
      "bare:1 shop/ReplicaSet/bare false",
      "job:1 shop/Job/once false",
    ]);
  });

  test("needs the images of init and ephemeral containers and of volumes too, and what was added to a pod", () => {
    const spec = {
      containers: [{ image: "app:1" }, { image: "sidecar:1" }],
      initContainers: [{ image: "init:1" }, { image: "app:1" }],
      ephemeralContainers: [{ image: "debug:1" }],
      volumes: [
        { name: "scratch", emptyDir: {} },
        { name: "model", image: { reference: "model:1" } },
      ],
    };
    expect(
      brief({
        statefulSets: [workload("db", "app:1")],
        pods: [pod("db-0", spec, { kind: "StatefulSet", name: "db" })],
      }),
    ).toEqual(
      ["app:1", "sidecar:1", "init:1", "debug:1", "model:1"].map((image) => `${image} shop/StatefulSet/db`),
    );
  });
});

describe("the platforms that a workload may run on", () => {
  const platforms = (spec: object, kind: "deployments" | "daemonSets" = "deployments") => {
    const one = v.parse(workloadSchema, {
      metadata: metadata("x"),
      spec: { template: template("app:1", spec) },
    });
    const [use] = collectUses({ ...nothing, [kind]: [one] });
    return use?.platforms.join();
  };
  const required = (...terms: object[]) => ({
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
    },
  });
  const when = (key: string, operator: string, ...values: string[]) => ({
    matchExpressions: [{ key, operator, values }],
  });

  test.each<[string, object, string]>([
    ["all, when it does not choose", {}, "linux/amd64,linux/arm64"],
    ["those that its selector allows", { nodeSelector: { disk: "fast" } }, "linux/arm64"],
    ["its own node's", { nodeName: "one" }, "linux/amd64"],
    ["all, when no node fits now", { nodeSelector: { disk: "none" } }, "linux/amd64,linux/arm64"],
    ["In", required(when("kubernetes.io/arch", "In", "arm64", "riscv64")), "linux/arm64"],
    ["NotIn", required(when("disk", "NotIn", "fast")), "linux/amd64"],
    ["Exists", required(when("disk", "Exists")), "linux/arm64"],
    ["DoesNotExist", required(when("disk", "DoesNotExist")), "linux/amd64"],
    ["Gt", required(when("size", "Gt", "4")), "linux/arm64"],
    ["Lt", required(when("size", "Lt", "4")), "linux/amd64,linux/arm64"],
    ["any of several terms", required(when("disk", "In", "slow"), when("size", "Exists")), "linux/arm64"],
    [
      "a node by its name",
      required({ matchFields: [{ key: "metadata.name", operator: "In", values: ["one"] }] }),
      "linux/amd64",
    ],
    ["an empty term, which fits no node", required({}), "linux/amd64,linux/arm64"],
    ["an operator that is not known", required(when("disk", "Newer")), "linux/amd64,linux/arm64"],
  ])("are %s", (_what, spec, expected) => expect(platforms(spec)).toBe(expected));

  test("are none while no node that it may run on has registered", () => {
    const nodes = [node("one", "amd64"), node("new", "", { disk: "fast" })];
    const onNew = v.parse(workloadSchema, {
      metadata: metadata("x"),
      spec: { template: template("app:1", { nodeSelector: { disk: "fast" } }) },
    });
    const uses = (given: typeof nodes) =>
      collectUses({ ...nothing, nodes: given, deployments: [onNew, workload("any", "app:1")] });
    expect(uses(nodes).map(({ platforms }) => platforms)).toEqual([[], ["linux/amd64"]]);
    expect(uses([]).map(({ platforms }) => platforms)).toEqual([[], []]);
  });

  test("must all be served to a DaemonSet, and one of them to any other workload", () => {
    const one = workload("x", "app:1");
    const uses = collectUses({ ...nothing, daemonSets: [one], deployments: [one] });
    expect(uses.map(({ workload: { kind }, needsAll }) => [kind, needsAll])).toEqual([
      ["Deployment", false],
      ["DaemonSet", true],
    ]);
  });
});
