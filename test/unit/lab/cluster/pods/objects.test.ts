import { expect, test } from "vitest";
import { objectNames } from "../../../../../lab/cluster/pods/objects.ts";
import type { Container } from "../../../../../lab/cluster/pods/template.ts";

const base: Container = { name: "c", image: "i" };

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
