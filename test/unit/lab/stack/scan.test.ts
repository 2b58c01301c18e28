import { expect, test } from "vitest";
import { scanLine, summaryOf } from "../../../../lab/stack/scan.ts";

test("a scan is described by its counts, and as incomplete when it was", () => {
  const findings = [{ severity: "critical" }, { severity: "critical" }, { severity: "warning" }];
  const report = { finishedAt: "2026-11-21T05:00:00Z", complete: true, registries: [{ tags: 40 }], findings };
  expect(scanLine(summaryOf(report))).toBe("1 registry, 40 tags, 2 critical, 1 warning");
  expect(scanLine(summaryOf({ ...report, complete: false }))).toMatch(/not everything could be checked$/);
});
