import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createBlobTable, sizeOfBlob, totalSize } from "../../../../scripts/store-check/blob-table.ts";

const digits = [..."0123456789abcdef"];
const hex = fc.string({ unit: fc.constantFrom(...digits), minLength: 64, maxLength: 64 });
// Few texts in the second word, so that digests meet in the index, also at its end.
const alike = fc
  .tuple(fc.constantFrom("0", "f"), hex)
  .map(([digit, text]) => text.slice(0, 8) + digit.repeat(8) + text.slice(16));

test("a table of blobs knows what was added, and nothing else", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.oneof(hex, alike), { maxLength: 200 }),
      fc.array(fc.oneof(hex, alike)),
      (added, others) => {
        const builder = createBlobTable();
        added.forEach((digest, size) => {
          builder.add(`sha256:${digest}`, "sha256:".length, size);
        });
        const table = builder.build();
        added.forEach((digest, size) => {
          expect(sizeOfBlob(table, digest, 0)).toBe(size);
        });
        for (const digest of others)
          if (!added.includes(digest)) expect(sizeOfBlob(table, digest, 0)).toBe(undefined);
      },
    ),
  );
});

test("a table grows past its first chunk, and holds sizes past four gigabytes", () => {
  const builder = createBlobTable();
  const digestOf = (number: number) => createHash("sha256").update(String(number)).digest("hex");
  const count = 2 ** 16 + 10;
  for (let number = 0; number < count; number++) builder.add(digestOf(number), 0, number + 2 ** 35);
  const table = builder.build();
  for (const number of [0, 1, 2 ** 16 - 1, 2 ** 16, count - 1])
    expect(sizeOfBlob(table, digestOf(number), 0)).toBe(number + 2 ** 35);
  expect(table.count).toBe(count);
  expect(totalSize(table)).toBe(count * 2 ** 35 + (count * (count - 1)) / 2);
});
