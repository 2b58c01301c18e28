import { expect, test } from "vitest";
import {
  cacheDirectory,
  instances,
  nodeBinary,
  placeOf,
  ports,
  searchPath,
} from "../../../../lab/machine/paths.ts";

test("no two instances share an address, a network, a container or a volume", () => {
  const places = instances.map(placeOf);
  for (const key of Object.keys(places[0] ?? {}) as (keyof ReturnType<typeof placeOf>)[]) {
    expect(new Set(places.map((place) => place[key])).size, key).toBe(instances.length);
  }
});

test("the instances have the addresses that the documentation names", () => {
  expect(instances.map((instance) => placeOf(instance).address)).toEqual([
    "127.77.0.1",
    "127.77.0.2",
    "127.77.0.3",
    "127.77.0.4",
  ]);
  expect(placeOf("test")).toMatchObject({
    network: "regwarden-test",
    subnet: "172.31.73.0/24",
    hostContainer: "regwarden-test-host",
    upstreamContainer: "regwarden-test-upstream",
  });
});

test("every published port is a different one", () => {
  expect(new Set(Object.values(ports)).size).toBe(Object.keys(ports).length);
});

test("the cache is where XDG_CACHE_HOME says", () => {
  expect(cacheDirectory({ XDG_CACHE_HOME: "/somewhere" })).toBe("/somewhere/regwarden");
});

test("the project's own programs come first on the search path, system directories at the end", () => {
  const path = searchPath({ PATH: "/opt/bin:/usr/bin" }).split(":");
  expect(nodeBinary.startsWith(`${path[0]}/`)).toBe(true);
  expect(path.slice(1)).toEqual(["/opt/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"]);
});
