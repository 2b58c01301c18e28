import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import {
  admissionFields,
  ignoreAdmissionChanges,
} from "../../components/cluster/ignore-admission-changes.ts";
import { run } from "../support/program-stack/engine.ts";

const ignored = async (type: string, opts: pulumi.CustomResourceOptions = {}) => {
  const result = await ignoreAdmissionChanges({ type, name: "one", custom: true, props: { a: 1 }, opts });
  return result?.opts as pulumi.CustomResourceOptions | undefined;
};

describe("what admission adds", () => {
  test.each([
    ["kubernetes:batch/v1:CronJob", "spec.jobTemplate.spec.template.spec.dnsConfig"],
    ["kubernetes:batch/v1:Job", "spec.template.spec.dnsConfig"],
    ["kubernetes:apps/v1:Deployment", "spec.template.spec.dnsConfig"],
    ["kubernetes:core/v1:Pod", "spec.dnsConfig"],
    ["kubernetes:core/v1:Namespace", 'metadata.labels["goldilocks.fairwinds.com/vpa-update-mode"]'],
  ])("is ignored in a %s, and nothing else is", async (type, field) => {
    expect(admissionFields(type)).toEqual([field]);
    expect((await ignored(type))?.ignoreChanges).toEqual([field]);
  });

  test("comes beside what a resource ignores itself", async () => {
    const opts = await ignored("kubernetes:batch/v1:Job", { ignoreChanges: ["spec.ttl"], protect: true });
    expect(opts).toMatchObject({
      ignoreChanges: ["spec.ttl", "spec.template.spec.dnsConfig"],
      protect: true,
    });
  });

  test.each(["kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Secret", "host:index:File"])(
    "leaves a %s alone",
    async (type) => {
      expect(await ignored(type)).toBeUndefined();
    },
  );

  test("is named as the SDK names its types", async () => {
    const program = async () => {
      const template = { spec: { containers: [] } };
      const spec = { schedule: "@daily", jobTemplate: { spec: { template } } };
      new k8s.batch.v1.CronJob("job", { spec });
      new k8s.core.v1.Namespace("namespace", {});
    };
    const { declared } = await run(program);
    const types = declared.map(({ type }) => type).filter((type) => type.startsWith("kubernetes:"));
    expect(types).toHaveLength(2);
    for (const type of types) expect(admissionFields(type)).toHaveLength(1);
  });
});
