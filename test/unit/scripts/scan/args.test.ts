import { describe, expect, test } from "vitest";
import { parseScanArguments } from "../../../../scripts/scan/args.ts";

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
