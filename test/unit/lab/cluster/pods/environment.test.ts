import { describe, expect, test } from "vitest";
import { environmentFile, environmentOf, expand } from "../../../../../lab/cluster/pods/environment.ts";
import { configMapData, secretData } from "../../../../../lab/cluster/pods/objects.ts";
import type { Container, PodObjects } from "../../../../../lab/cluster/pods/template.ts";

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
