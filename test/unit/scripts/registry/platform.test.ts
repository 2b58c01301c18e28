import { describe, expect, test } from "vitest";
import { isSamePlatform, parsePlatform, serves } from "../../../../scripts/registry/platform.ts";

describe("platforms", () => {
  test.each([
    ["linux/arm64", "linux/arm64/v8"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/x86_64", "linux/amd64/v1"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/7", "linux/arm/v7"],
    ["Linux/AMD64", "linux/amd64"],
  ])("%s and %s are the same", (one, other) => expect(isSamePlatform(one, other)).toBe(true));

  test.each([
    ["linux/arm/v6", "linux/arm/v7"],
    ["linux/amd64", "windows/amd64"],
    ["linux/amd64", "linux/386"],
    ["linux/amd64/v3", "linux/amd64"],
  ])("%s and %s are not", (one, other) => expect(isSamePlatform(one, other)).toBe(false));

  test.each([
    ["linux/arm/v6", "linux/arm", true],
    ["linux/arm/v6", "linux/arm/v7", false],
    ["linux/arm64", "linux/arm64/v8", true],
    ["linux/amd64", "linux/arm64", false],
    ["unknown/unknown", "linux/amd64", false],
  ])("an offer of %s serves who wants %s: %s", (offer, wanted, expected) =>
    expect(serves(offer, wanted)).toBe(expected),
  );

  test.each(["", "linux", "linux/", "/amd64", "linux/amd64/v1/x", "linux/am d64", "linux/amd64/v 1"])(
    "%j is none",
    (text) => expect(parsePlatform(text)).toBeUndefined(),
  );
});
