import { describe, expect, test } from "vitest";
import { parseBytes, parseScanArguments } from "../../../../scripts/scan/args.ts";

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

describe("the arguments of a scan", () => {
  test("compare manifests by default, configurations and layers when asked", () => {
    expect(parseScanArguments(["/data"])).toMatchObject({ verify: "manifests", bandwidthLimit: undefined });
    expect(parseScanArguments(["/data", "--verify-digests"])).toMatchObject({ verify: "configs" });
    const all = ["/data", "--verify-layers", "--bandwidth-limit", "50M"];
    expect(parseScanArguments(all)).toMatchObject({ verify: "layers", bandwidthLimit: 50_000_000 });
  });

  test.each([
    [["--bandwidth-limit", "50M"], "goes with --verify-digests"],
    [["--verify-layers", "--bandwidth-limit", "fast"], "like 50M"],
    [["--registry", "private", "--metrics", "/x"], "how the whole is"],
    [["--repository", "app", "--pushgateway", "http://gateway:9091"], "how the whole is"],
    [["--pushgateway", "http://user:secret@gateway"], "without an account"],
    [["--registry", ""], "--registry needs a name."],
  ])("are refused: %j", (flags, message) => {
    expect(() => parseScanArguments(["/data", ...flags])).toThrow(message);
    expect(() => parseScanArguments(["/data", ...flags])).not.toThrow("secret");
  });
});
