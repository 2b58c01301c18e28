import { expect, test } from "vitest";
import { conclude, counted } from "../../../../scripts/report/phrases.ts";

test("one is counted in the singular, and nothing in the plural", () => {
  expect([0, 1, 2].map((count) => counted(count, "tag"))).toEqual(["0 tags", "1 tag", "2 tags"]);
  expect(counted(1, "index", "indexes")).toBe("1 index");
});

test("a run that could not check everything never ends with a line that reads as clean", () => {
  expect(conclude(null, true)).toBe("Nothing found broken.");
  expect(conclude(null, false)).toMatch(/^NOT COMPLETE: .* in the rest\.$/);
  expect(conclude("2 broken.", false)).toMatch(/^NOT COMPLETE: .* 2 broken\.$/);
});
