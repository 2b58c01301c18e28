import fc from "fast-check";
import { expect, test } from "vitest";
import { createSizeTable, getSize, putSize } from "../../../../scripts/scan/size-table.ts";

const digits = [..."0123456789abcdef"];
const hex = fc.string({ unit: fc.constantFrom(...digits), minLength: 64, maxLength: 64 });
// Few beginnings, so that digests meet in the same place.
const alike = fc.tuple(fc.constantFrom("0", "f"), hex).map(([digit, end]) => digit.repeat(8) + end.slice(8));

test("a table of sizes knows what was put in, and nothing else", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.oneof(hex, alike), { maxLength: 200 }),
      fc.array(fc.oneof(hex, alike)),
      (put, others) => {
        const table = createSizeTable(put.length);
        put.forEach((digest, size) => {
          putSize(table, `sha256:${digest}`, "sha256:".length, size);
        });
        put.forEach((digest, size) => {
          expect(getSize(table, digest, 0)).toBe(size);
        });
        for (const digest of others)
          if (!put.includes(digest)) expect(getSize(table, digest, 0)).toBe(undefined);
      },
    ),
  );
});
