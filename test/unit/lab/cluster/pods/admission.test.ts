import { describe, expect, test } from "vitest";
import { tokenData, wantsToken, withTokenVolume } from "../../../../../lab/cluster/pods/admission.ts";
import { containerArguments } from "../../../../../lab/cluster/pods/arguments.ts";
import { environmentOf } from "../../../../../lab/cluster/pods/environment.ts";
import { serviceVariables } from "../../../../../lab/cluster/pods/service.ts";
import type { Container, PodSpec } from "../../../../../lab/cluster/pods/template.ts";
import { volumeFiles } from "../../../../../lab/cluster/pods/volumes.ts";

const container: Container = { name: "c", image: "i" };
const spec: PodSpec = {
  containers: [container],
  serviceAccountName: "reader",
  automountServiceAccountToken: true,
  securityContext: { runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532 },
};
const pod = { name: "read", namespace: "monitoring" };
const token = "a.secret.token";
const directory = "/var/run/secrets/kubernetes.io/serviceaccount";

describe("whether a pod gets a token", () => {
  test.each<[boolean | undefined, boolean | undefined, boolean]>([
    [true, false, true],
    [false, true, false],
    [undefined, false, false],
    [undefined, true, true],
    [undefined, undefined, true],
  ])("the pod says %s and its account %s: %s", (byPod, byAccount, expected) => {
    const { automountServiceAccountToken: _, ...rest } = spec;
    const own = byPod === undefined ? rest : { ...rest, automountServiceAccountToken: byPod };
    const account = byAccount === undefined ? {} : { automountServiceAccountToken: byAccount };
    expect(wantsToken(own, account)).toBe(expected);
  });
});

describe("the token of a pod", () => {
  const objects = new Map([["serviceAccount/reader", tokenData(token, "PEM", "monitoring")]]);
  const mount = { name: "kube-api-access", mountPath: directory, readOnly: true };
  const filesFor = (own: PodSpec) =>
    (withTokenVolume(own).volumes ?? []).flatMap((volume) => volumeFiles(volume, objects));

  test("is mounted beside authority and namespace, where the clients of Kubernetes expect it", () => {
    expect(withTokenVolume(spec).containers[0]?.volumeMounts).toEqual([mount]);
    expect(filesFor(spec).map(({ path, content }) => [path, content.toString()])).toEqual([
      ["token", token],
      ["ca.crt", "PEM"],
      ["namespace", "monitoring"],
    ]);
  });

  test("leaves a container alone that mounts something of its own there", () => {
    const own = [{ name: "mine", mountPath: directory }];
    const admitted = withTokenVolume({ ...spec, containers: [{ ...container, volumeMounts: own }] });
    expect(admitted.containers[0]?.volumeMounts).toEqual(own);
  });

  test("is for the pod's user alone, and for every user of the container where the pod names none", () => {
    const modes = (own: PodSpec) => filesFor(own).map(({ mode, owner }) => [mode, owner]);
    const others = [
      [0o644, 0],
      [0o644, 0],
    ];
    expect(modes(spec)).toEqual([[0o600, 65532], ...others]);
    const { securityContext: _, ...plain } = spec;
    expect(modes(plain)).toEqual([[0o644, 0], ...others]);
    const securityContext = { runAsUser: 1000 };
    expect(modes({ ...plain, containers: [{ ...container, securityContext }] })[0]).toEqual([0o600, 1000]);
    expect(modes({ ...plain, securityContext: { fsGroup: 7 } })[0]).toEqual([0o600, 0]);
  });

  test("is in a read-only mount, and in no argument", () => {
    const args = containerArguments(withTokenVolume(spec), pod, new Map(), {
      ...{ image: "i:1", container: "c", network: "n", labels: [], hosts: {} },
      ...{ environmentFile: "/state/environment", volumes: "/state/volumes" },
    });
    const source = "/state/volumes/kube-api-access";
    expect(args).toContain(`type=bind,source=${source},target=${directory},readonly`);
    expect(args.join(" ")).not.toContain(token);
  });
});

test("a container gets the address of the API server, and its own variables replace that", () => {
  const services = serviceVariables("172.31.71.1", 6443);
  const env = [
    { name: "URL", value: "https://$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT)" },
    { name: "KUBERNETES_SERVICE_PORT_HTTPS", value: "443" },
  ];
  const variables = environmentOf({ ...container, env }, new Map(), pod, services);
  expect(Object.fromEntries(variables)).toEqual({
    KUBERNETES_SERVICE_HOST: "172.31.71.1",
    KUBERNETES_SERVICE_PORT: "6443",
    KUBERNETES_SERVICE_PORT_HTTPS: "443",
    URL: "https://172.31.71.1:6443",
  });
});
