import { expect, test } from "vitest";
import { servicePolicy } from "../../../../lab/machine/service-policy.ts";

test("while packages are installed, only the services that the lab runs itself are refused", () => {
  expect(servicePolicy(["etcd", "prometheus"])).toContain(
    "etcd | etcd.service | prometheus | prometheus.service) exit 101",
  );
});
