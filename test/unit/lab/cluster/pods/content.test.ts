import { describe, expect, test } from "vitest";
import { environmentFile, environmentOf, expand } from "../../../../../lab/cluster/pods/environment.ts";
import { configMapData, objectNames, secretData } from "../../../../../lab/cluster/pods/objects.ts";
import { podsOf } from "../../../../../lab/cluster/pods/runner.ts";
import type { Container, CronJob, PodObjects } from "../../../../../lab/cluster/pods/template.ts";
import { volumeFiles } from "../../../../../lab/cluster/pods/volumes.ts";

const objects: PodObjects = new Map([
  ["configMap/settings", configMapData({ data: { url: "https://r" }, binaryData: { raw: "AAE=" } })],
  ["secret/account", secretData({ data: { user: Buffer.from("ci").toString("base64") } })],
]);
const pod = { name: "probe-2", namespace: "monitoring", index: 2 };
const base: Container = { name: "c", image: "i" };

describe("expansion of $(NAME)", () => {
  const variables = new Map([["A", "1"]]);
  test.each([
    ["$(A)", "1"],
    ["x$(A)y$(A)", "x1y1"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$1"],
    ["$(B)", "$(B)"],
    ["$A ${A}", "$A ${A}"],
    ["$(A", "$(A"],
  ])("%s becomes %s", (text, expected) => {
    expect(expand(text, variables)).toBe(expected);
  });
});

test("variables come from objects, fields and values, and each sees the ones before it", () => {
  const container: Container = {
    ...base,
    envFrom: [{ prefix: "S_", configMapRef: { name: "settings" } }],
    env: [
      { name: "USER", valueFrom: { secretKeyRef: { name: "account", key: "user" } } },
      { name: "URL", value: "$(S_url)/$(USER)/$(LATER)" },
      { name: "LATER", value: "x" },
      { name: "GONE", valueFrom: { configMapKeyRef: { name: "settings", key: "no", optional: true } } },
      { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      {
        name: "AT",
        valueFrom: {
          fieldRef: { fieldPath: "metadata.annotations['batch.kubernetes.io/job-completion-index']" },
        },
      },
    ],
  };
  expect(Object.fromEntries(environmentOf(container, objects, pod))).toEqual({
    S_url: "https://r",
    S_raw: "\0\u0001",
    USER: "ci",
    URL: "https://r/ci/$(LATER)",
    LATER: "x",
    POD: "probe-2",
    AT: "2",
    JOB_COMPLETION_INDEX: "2",
  });
});

test("a key that is not there ends the run, as it would keep a pod from starting", () => {
  const env = [{ name: "X", valueFrom: { secretKeyRef: { name: "account", key: "password" } } }];
  expect(() => environmentOf({ ...base, env }, objects, pod)).toThrow(
    expect.objectContaining({ code: "E_MISSING", message: "secret account has no key password" }),
  );
});

test("an environment file holds one line a variable, and refuses what would be two", () => {
  expect(environmentFile(new Map([["A", "x y=z # '"]]))).toBe("A=x y=z # '\n");
  expect(() => environmentFile(new Map([["A", "x\nB=evil"]]))).toThrow(/several lines/);
});

describe("files of a volume", () => {
  const names = (volume: Parameters<typeof volumeFiles>[0]) =>
    volumeFiles(volume, objects).map(({ path, mode }) => [path, mode]);

  test("are all keys with the volume's mode, or the chosen ones with their own", () => {
    expect(names({ name: "v", configMap: { name: "settings", defaultMode: 0o444 } })).toEqual([
      ["url", 0o444],
      ["raw", 0o444],
    ]);
    const items = [{ key: "user", path: "a/name", mode: 0o400 }];
    expect(names({ name: "v", secret: { secretName: "account", items } })).toEqual([["a/name", 0o400]]);
    expect(names({ name: "v", emptyDir: {} })).toEqual([]);
  });

  test("are an error where they are missing and not optional, or lead out of the volume", () => {
    expect(() => names({ name: "v", secret: { secretName: "gone" } })).toThrow(/no secret gone/);
    expect(names({ name: "v", secret: { secretName: "gone", optional: true } })).toEqual([]);
    const items = [{ key: "user", path: "../../etc/passwd" }];
    expect(() => names({ name: "v", secret: { secretName: "account", items } })).toThrow(/passwd/);
  });
});

test("the objects of a pod are named once each", () => {
  const env = [{ name: "X", valueFrom: { secretKeyRef: { name: "account", key: "user" } } }];
  const spec = {
    containers: [{ ...base, env, envFrom: [{ configMapRef: { name: "settings" } }] }],
    volumes: [
      { name: "a", secret: { secretName: "account" } },
      { name: "b", configMap: { name: "ca" } },
    ],
  };
  expect(objectNames(spec)).toEqual(["configMap/settings", "secret/account", "configMap/ca"]);
});

test("an Indexed Job has a pod for each index, any other has one", () => {
  const cronJob = (job: object) =>
    ({
      metadata: { name: "probe", namespace: "monitoring" },
      spec: { jobTemplate: { spec: { template: { spec: { containers: [] } }, ...job } } },
    }) as CronJob;
  expect(podsOf(cronJob({ completions: 1 }))).toEqual([{ name: "probe", namespace: "monitoring" }]);
  const indexed = podsOf(cronJob({ completions: 2, completionMode: "Indexed" }));
  expect(indexed.map(({ name, index }) => [name, index])).toEqual([
    ["probe-0", 0],
    ["probe-1", 1],
  ]);
});
