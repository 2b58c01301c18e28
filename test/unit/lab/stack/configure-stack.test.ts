import { expect, test } from "vitest";
import { valueAt } from "../../../../lab/stack/configure-stack.ts";

test("a value is found by its path in what the engine prints", () => {
  const values = new Map<string, unknown>([
    ["caches", [{ port: 5000 }, { port: 5010 }]],
    ["secretsSource", "config"],
  ]);
  expect(valueAt(values, "caches[1].port")).toBe("5010");
  expect(valueAt(values, "secretsSource")).toBe("config");
  expect(valueAt(values, "caches[2].port")).toBeUndefined();
  expect(valueAt(values, "host.address")).toBeUndefined();
});
