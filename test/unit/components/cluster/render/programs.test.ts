import { describe, expect, test } from "vitest";
import { bundleConfigMap } from "../../../../../components/cluster/render/programs.ts";

describe("the bundle in a ConfigMap", () => {
  test("has a name that belongs to its content", () => {
    const first = bundleConfigMap(Buffer.from("one"));
    expect(first).toEqual(bundleConfigMap(Buffer.from("one")));
    expect(first.name).toMatch(/^regwarden-programs-[0-9a-f]{12}$/);
    expect(first.data).toEqual({ "regwarden.mjs": "one" });
    expect(bundleConfigMap(Buffer.from("two")).name).not.toBe(first.name);
  });

  test("must be smaller than 900 KiB, in bytes and not in characters", () => {
    const limit = 900 * 1024;
    expect(() => bundleConfigMap(Buffer.from("a".repeat(limit - 1)))).not.toThrow();
    expect(() => bundleConfigMap(Buffer.from("a".repeat(limit)))).toThrow(
      /921600 bytes.*900 KiB.*npm run build/,
    );
    expect(() => bundleConfigMap(Buffer.from("ä".repeat(limit / 2)))).toThrow(/900 KiB/);
  });
});
