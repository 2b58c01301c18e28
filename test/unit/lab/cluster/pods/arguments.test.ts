import { describe, expect, test } from "vitest";
import {
  containerArguments,
  quantity,
  type Surroundings,
} from "../../../../../lab/cluster/pods/arguments.ts";
import { refuseUnknownFields, unknownFields } from "../../../../../lab/cluster/pods/fields.ts";
import type { Container, PodSpec } from "../../../../../lab/cluster/pods/template.ts";

const around: Surroundings = {
  image: "regwarden-node:abc",
  container: "regwarden-lab-pod-probe",
  network: "regwarden-lab",
  labels: ["--label", "a=b"],
  hosts: { "registry.lab.test": "172.31.71.20" },
  environmentFile: "/state/environment",
  volumes: "/state/volumes",
};
const pod = { name: "probe", namespace: "monitoring" };

const container: Container = {
  name: "probe",
  image: "node:24.21.0-bookworm-slim",
  command: ["node", "/app/regwarden.mjs"],
  args: ["probe", "--shard=$(JOB_COMPLETION_INDEX)", "$$(X)", "$(NONE)"],
  volumeMounts: [
    { name: "programs", mountPath: "/app" },
    { name: "tmp", mountPath: "/tmp" },
    { name: "work", mountPath: "/work", subPath: "a" },
  ],
  resources: { limits: { memory: "192Mi", cpu: "250m" } },
  securityContext: {
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
  },
};
const spec: PodSpec = {
  containers: [container],
  automountServiceAccountToken: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 65532,
    runAsGroup: 65532,
    fsGroup: 65532,
    seccompProfile: { type: "RuntimeDefault" },
  },
  dnsConfig: { options: [{ name: "ndots", value: "2" }] },
  volumes: [
    { name: "programs", configMap: { name: "programs" } },
    { name: "tmp", emptyDir: { medium: "Memory", sizeLimit: "16Mi" } },
    { name: "work", emptyDir: {} },
  ],
};

function argumentsFor(changes: Partial<PodSpec> = {}, own: Partial<Container> = {}): string[] {
  const changed = { ...spec, ...changes, containers: [{ ...container, ...own }] };
  return containerArguments(changed, pod, new Map([["JOB_COMPLETION_INDEX", "3"]]), around);
}

test("a hardened pod becomes a container with the same limits, account, files and program", () => {
  expect(argumentsFor()).toEqual([
    ...["--name", "regwarden-lab-pod-probe", "--hostname", "probe", "--network", "regwarden-lab"],
    ...["--label", "a=b", "--stop-timeout", "30"],
    ...["--add-host", "registry.lab.test:172.31.71.20", "--dns-opt", "ndots:2"],
    ...["--user", "65532:65532", "--group-add", "65532"],
    ...["--read-only", "--security-opt", "no-new-privileges", "--cap-drop", "ALL"],
    ...["--memory", "201326592", "--memory-swap", "201326592", "--cpus", "0.25"],
    ...["--env-file", "/state/environment"],
    ...["--mount", "type=bind,source=/state/volumes/programs,target=/app,readonly"],
    ...["--tmpfs", "/tmp:rw,exec,mode=1777,size=16777216"],
    ...["--mount", "type=bind,source=/state/volumes/work/a,target=/work"],
    ...["--entrypoint", "node", "regwarden-node:abc", "/app/regwarden.mjs"],
    ...["probe", "--shard=3", "$(X)", "$(NONE)"],
  ]);
});

test("without a command the image's own entry point gets the arguments", () => {
  const { command: _, ...rest } = container;
  const changed = { ...spec, containers: [{ ...rest, args: ["probe"] }] };
  const args = containerArguments(changed, pod, new Map(), around);
  expect(args.slice(-2)).toEqual(["regwarden-node:abc", "probe"]);
  expect(args).not.toContain("--entrypoint");
});

test("a container's own account goes before the pod's", () => {
  const args = argumentsFor({}, { securityContext: { runAsUser: 1000 } });
  expect(args).toContain("1000:65532");
});

describe("what would run otherwise than in a cluster is refused:", () => {
  test.each<[string, Partial<PodSpec>, Partial<Container>, RegExp]>([
    [
      "root where root is forbidden",
      { securityContext: { runAsNonRoot: true, runAsUser: 0 } },
      {},
      /runAsUser 0/,
    ],
    ["an unknown account", { securityContext: { runAsNonRoot: true } }, {}, /depends on the image/],
    ["privileges", {}, { securityContext: { privileged: true } }, /privileged/],
    ["a local profile", { securityContext: { seccompProfile: { type: "Localhost" } } }, {}, /Localhost/],
    ["a mount of nothing", {}, { volumeMounts: [{ name: "gone", mountPath: "/x" }] }, /gone/],
  ])("%s", (_, changes, own, message) => {
    expect(() => argumentsFor(changes, own)).toThrow(
      expect.objectContaining({ code: "E_UNSUPPORTED", message: expect.stringMatching(message) }),
    );
  });

  test("several containers", () => {
    const two = { ...spec, containers: [container, container] };
    expect(() => containerArguments(two, pod, new Map(), around)).toThrow(/2 containers/);
  });

  test("fields that the runner does not know, all at once", () => {
    const template = {
      metadata: { labels: { any: "thing" } },
      spec: {
        ...spec,
        hostNetwork: true,
        containers: [
          { ...container, lifecycle: {}, env: [{ name: "A", valueFrom: { resourceFieldRef: {} } }] },
        ],
        volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
      },
    };
    expect(unknownFields(template)).toEqual([
      "spec.containers[0].lifecycle",
      "spec.containers[0].env[0].valueFrom.resourceFieldRef",
      "spec.volumes[0].persistentVolumeClaim",
      "spec.hostNetwork",
    ]);
    expect(() => refuseUnknownFields(template)).toThrow(/lifecycle.*hostNetwork/);
    expect(unknownFields({ spec })).toEqual([]);
  });
});

test.each([
  ["192Mi", 201_326_592],
  ["1G", 1e9],
  ["250m", 0.25],
  ["2", 2],
  ["1.5Gi", 1_610_612_736],
])("the quantity %s is %d", (text, value) => {
  expect(quantity(text)).toBe(value);
});

test.each(["", "Mi", "1Xi", "-1"])("%j is no quantity", (text) => {
  expect(() => quantity(text)).toThrow(/no quantity/);
});
