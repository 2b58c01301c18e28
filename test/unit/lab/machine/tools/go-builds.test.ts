import { expect, test } from "vitest";
import { stagingGoMod } from "../../../../../lab/machine/tools/go-builds.ts";

test("staging modules of Kubernetes take their tags of the same release", () => {
  const own =
    "module k8s.io/kubernetes\n\ngo 1.26.0\n\nreplace (\n\tk8s.io/api => ./staging/src/k8s.io/api\n\tk8s.io/kube-aggregator => ./staging/src/k8s.io/kube-aggregator\n)\n";
  expect(stagingGoMod(own, "v1.36.3")).toBe(`module lab.invalid/toolchain

go 1.26.0

require k8s.io/kubernetes v1.36.3

replace (
\tk8s.io/api => k8s.io/api v0.36.3
\tk8s.io/kube-aggregator => k8s.io/kube-aggregator v0.36.3
)
`);
});
