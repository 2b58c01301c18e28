import { describe, expect, test } from "vitest";
import { parseScanArguments } from "../../../../scripts/scan/args.ts";

describe("the arguments of a scan", () => {
  test("compare manifests by default, configurations and layers when asked", () => {
    expect(parseScanArguments(["/data"])).toMatchObject({ verify: "manifests", bandwidthLimit: undefined });
    expect(parseScanArguments(["/data", "--verify-digests"])).toMatchObject({ verify: "configs" });
    const all = ["/data", "--verify-layers", "--bandwidth-limit", "50M"];
    expect(parseScanArguments(all)).toMatchObject({ verify: "layers", bandwidthLimit: 50_000_000 });
  });

  test("limit what is read of copies in other registries without a verification as well", () => {
    const limited = parseScanArguments(["/data", "--bandwidth-limit", "50M"]);
    expect(limited).toMatchObject({ verify: "manifests", bandwidthLimit: 50_000_000 });
  });

  test.each([
    [["--verify-layers", "--bandwidth-limit", "fast"], "like 50M"],
    [["--registry", "private", "--metrics", "/x"], "of all registries"],
    [["--repository", "app", "--pushgateway", "http://gateway:9091"], "of all registries"],
    [["--pushgateway", "http://user:secret@gateway"], "without an account"],
    [["--registry", ""], "--registry needs a name."],
  ])("are refused: %j", (flags, message) => {
    expect(() => parseScanArguments(["/data", ...flags])).toThrow(message);
    expect(() => parseScanArguments(["/data", ...flags])).not.toThrow("secret");
  });
});
