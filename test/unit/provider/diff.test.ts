import { expect, test } from "vitest";
import { compareProperties } from "../../../provider/diff.ts";

test("names what differs by its path, in the engine's notation", () => {
  const old = {
    mode: "0644",
    services: { "registry-quay": { state: "exited" }, ui: { image: "a" } },
    list: [1],
  };
  const next = {
    mode: "0600",
    services: { "registry-quay": { state: "running" }, ui: { image: "a" } },
    list: [1, 2],
  };
  expect(Object.fromEntries(compareProperties(old, next))).toEqual({
    mode: "update",
    'services["registry-quay"].state': "update",
    list: "update",
  });
});

test("reports what is new, what is gone and what is changed", () => {
  const changes = compareProperties({ gone: 1, services: { a: {} } }, { fresh: 1, services: { b: {} } });
  expect(Object.fromEntries(changes)).toEqual({
    gone: "delete",
    fresh: "add",
    "services.a": "delete",
    "services.b": "add",
  });
});

test("finds nothing between equal values, whatever the order of their keys", () => {
  expect(compareProperties({ a: 1, b: { c: [1], d: null } }, { b: { d: null, c: [1] }, a: 1 }).size).toBe(0);
});

test.each([
  ["a quote", 'a"b', '["a\\"b"]'],
  ["a path", "/etc/x.conf", '["/etc/x.conf"]'],
  ["a leading digit", "1a", '["1a"]'],
])("quotes a key with %s", (_what, key, path) => {
  expect([...compareProperties({ [key]: 1 }, { [key]: 2 }).keys()]).toEqual([path]);
});
