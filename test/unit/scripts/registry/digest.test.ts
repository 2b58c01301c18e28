import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  digestOf,
  isDigestOfNothing,
  parseDigest,
  shortDigest,
  splitDigest,
} from "../../../../scripts/registry/digest.ts";

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
const digestText = fc.oneof(
  hex(64).map((text) => `sha256:${text}`),
  hex(96).map((text) => `sha384:${text}`),
  hex(128).map((text) => `sha512:${text}`),
);

describe("a digest", () => {
  test("is read from any text that spells one, and comes back unchanged", () => {
    fc.assert(
      fc.property(digestText, (text) => {
        const digest = parseDigest(text);
        expect(digest).toBe(text);
        if (!digest) return;
        const { algorithm, hex: rest } = splitDigest(digest);
        expect(`${algorithm}:${rest}`).toBe(text);
      }),
    );
  });

  test("is not read from a text with anything added, taken away or changed", () => {
    const damage = fc.oneof(
      fc.constantFrom("\n", " ", "\r\n", "0", "g", "/").map((extra) => (text: string) => text + extra),
      fc.constantFrom(" ", "0", "x").map((extra) => (text: string) => extra + text),
      fc.constant((text: string) => text.slice(0, -1)),
      fc.constant((text: string) => `${text.slice(0, -1)}G`),
      fc.constant((text: string) => text.replace(":", "-")),
    );
    fc.assert(
      fc.property(digestText, damage, (text, spoil) => {
        expect(parseDigest(spoil(text))).toBeUndefined();
      }),
    );
  });

  test("never comes out of arbitrary text by accident or by exception", () => {
    fc.assert(fc.property(fc.string(), (text) => parseDigest(text) === undefined));
  });

  test.each([
    ["upper case", `sha256:${"A".repeat(64)}`],
    ["another algorithm", `md5:${"a".repeat(32)}`],
    ["the length of another algorithm", `sha512:${"a".repeat(64)}`],
    ["a name of every object", `constructor:${"a".repeat(64)}`],
    ["nothing", ""],
  ])("is not %s", (_what, text) => {
    expect(parseDigest(text)).toBeUndefined();
  });

  test("of no bytes is known as such, in every algorithm", () => {
    const empty = digestOf(new Uint8Array());
    expect(empty).toBe("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(isDigestOfNothing(empty)).toBe(true);
    expect(isDigestOfNothing(digestOf(new Uint8Array(1)))).toBe(false);
  });

  test("is shortened to its algorithm and twelve digits", () => {
    expect(shortDigest(`sha256:${"ab".repeat(32)}`)).toBe("sha256:abababababab");
  });
});
