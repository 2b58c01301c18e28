import { expect, test } from "vitest";
import { inUseExcerpt, logExcerpt } from "../../../../lab/incident/incident-steps.ts";

test("of a long log the screen has the first line, the first findings and the sum", () => {
  const log = "r: 2 tags\n\n  critical\n    - one\n      next: x\n    - two\n    - three\n\n3 broken.\n";
  expect(logExcerpt(log)).toBe("r: 2 tags\n- one\n- two\n3 broken.");
  expect(logExcerpt("Nothing found.\n")).toBe("Nothing found.");
});

test("of the in-use check the screen has the first workload that cannot start, or that there is none", () => {
  const broken =
    "  - r/i:1 is broken: gone. Deployment ci/runner cannot start a new pod.\n    next: x\n1 broken.\n";
  expect(inUseExcerpt(`r: 1 image\n${broken}`)).toBe("Deployment ci/runner cannot start a new pod");
  expect(inUseExcerpt("r: 1 image\nNothing found.\n")).toBe("Nothing found.");
});
