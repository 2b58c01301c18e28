import { expect, test } from "vitest";
import { podsOf } from "../../../../../lab/cluster/pods/runner.ts";
import type { CronJob } from "../../../../../lab/cluster/pods/template.ts";

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
