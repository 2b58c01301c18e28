import { describe, expect, test } from "vitest";
import { parseBytes } from "../../../../../scripts/cli/options/bytes.ts";

describe("a number of bytes", () => {
  test.each([
    ["1", 1],
    ["500k", 500_000],
    ["500KiB", 512_000],
    ["50M", 50_000_000],
    ["1.5MB/s", 1_500_000],
    ["2 GiB", 2 * 1024 ** 3],
  ])("%s", (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  test.each(["", "0", "M", "-1", "1T", "1e9", "fast", "1.2345M"])("is not %j", (text) => {
    expect(parseBytes(text)).toBeUndefined();
  });
});
