import { expect, test } from "vitest";
import { addressesOf, instances, ports } from "../../../../lab/machine/instances.ts";

test("no two instances share an address, a network, a container or a volume", () => {
  const all = instances.map(addressesOf);
  for (const key of Object.keys(all[0] ?? {}) as (keyof ReturnType<typeof addressesOf>)[]) {
    expect(new Set(all.map((addresses) => addresses[key])).size, key).toBe(instances.length);
  }
});

test("the instances have the addresses that the documentation names", () => {
  expect(instances.map((instance) => addressesOf(instance).address)).toEqual([
    "127.77.0.1",
    "127.77.0.2",
    "127.77.0.3",
    "127.77.0.4",
  ]);
  expect(addressesOf("test")).toMatchObject({
    network: "regwarden-test",
    subnet: "172.31.73.0/24",
    hostContainer: "regwarden-test-host",
    upstreamContainer: "regwarden-test-upstream",
  });
});

test("every published port is a different one", () => {
  expect(new Set(Object.values(ports)).size).toBe(Object.keys(ports).length);
});
