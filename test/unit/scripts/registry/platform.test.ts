import { describe, expect, test } from "vitest";
import { isSamePlatform, parsePlatform, serves } from "../../../../scripts/registry/platform.ts";

describe("platforms", () => {
  test.each([
    // The usual variants are normalised, and so is how a variant is spelt.
    ["linux/arm64", "linux/arm64/v8"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/x86_64", "linux/amd64/v1"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/7", "linux/arm/v7"],
    ["linux/arm/6", "linux/arm/v6"],
    ["linux/arm64/8", "linux/arm64/v8"],
    ["linux/amd64/1", "linux/amd64/v1"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["Linux/AMD64", "linux/amd64"],
    // Many builders write no variant into the configuration: variants are compared only where both name one.
    ["linux/arm/v6", "linux/arm"],
    ["linux/arm/v5", "linux/arm"],
    ["linux/amd64/v3", "linux/amd64"],
    ["linux/arm64/v9", "linux/arm64"],
  ])("%s and %s are the same", (one, other) => {
    expect(isSamePlatform(one, other)).toBe(true);
    expect(isSamePlatform(other, one)).toBe(true);
  });

  test.each([
    ["linux/arm/v6", "linux/arm/v7"],
    ["linux/arm/v6", "linux/arm/7"],
    ["linux/amd64/v3", "linux/amd64/v1"],
    ["linux/arm64/v9", "linux/arm64/v8"],
    ["linux/amd64", "windows/amd64"],
    ["linux/amd64", "linux/386"],
    ["linux/arm/v8", "linux/arm64/v8"],
  ])("%s and %s are not", (one, other) => {
    expect(isSamePlatform(one, other)).toBe(false);
    expect(isSamePlatform(other, one)).toBe(false);
  });

  test.each([
    ["linux/arm/v6", "linux/arm", true],
    ["linux/arm/v6", "linux/arm/v7", false],
    ["linux/arm64", "linux/arm64/v8", true],
    ["linux/arm64/v8", "linux/arm64", true],
    ["linux/amd64", "linux/amd64/v3", false],
    ["linux/amd64", "linux/arm64", false],
    ["unknown/unknown", "linux/amd64", false],
  ])("an offer of %s serves a request for %s: %s", (offer, wanted, expected) =>
    expect(serves(offer, wanted)).toBe(expected),
  );

  test.each(["", "linux", "linux/", "/amd64", "linux/amd64/v1/x", "linux/am d64", "linux/amd64/v 1"])(
    "%j is none",
    (text) => expect(parsePlatform(text)).toBeUndefined(),
  );
});
