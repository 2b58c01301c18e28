import { expect, test } from "vitest";
import { duration } from "../../../../lab/machine/screen.ts";

test.each([
  [4.23, "4.2 s"],
  [59.4, "59 s"],
  [59.6, "1 min"],
  [119.6, "2 min"],
  [184.6, "3 min 5 s"],
])("%s seconds are %s for people", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
