import { expect, test } from "vitest";
import { changesIn } from "../../../../lab/stack/deployment.ts";

test("what a deployment changed stands on one line", () => {
  const output = "Diagnostics:\n  none\n\nResources:\n    ~ 3 updated\n    40 unchanged\n\nDuration: 6s\n";
  expect(changesIn(output)).toBe("~ 3 updated, 40 unchanged");
  expect(changesIn("no summary")).toBe("");
});
