import { expect, test } from "vitest";
import { isWhole, serviceRows, timerRows } from "../../../../lab/commands/status.ts";
import { scanLine, summaryOf } from "../../../../lab/stack/scan.ts";

const running = '{"Names":"registry-quay","State":"running","Status":"Up 2 minutes (healthy)"}';
const sick = '{"Names":"registry-ghcr","State":"running","Status":"Up 2 minutes (unhealthy)"}';
const stopped = '{"Names":"registry-ui","State":"exited","Status":"Exited (0) 3 seconds ago"}';

test("a service is good while it runs and is not unhealthy", () => {
  const rows = serviceRows([running, sick, stopped, ""].join("\n"));
  expect(rows.map(({ name, isGood }) => [name, isGood])).toEqual([
    ["registry-ghcr", false],
    ["registry-quay", true],
    ["registry-ui", false],
  ]);
});

test("a stopped container that an update has put out of the way hinders nothing", () => {
  const displaced = stopped.replace("registry-ui", "registry-ui.displaced-20261121T111510Z");
  expect(serviceRows(displaced)).toEqual([
    {
      name: "registry-ui.displaced-20261121T111510Z",
      state: "Exited (0) 3 seconds ago, put out of the way by an update",
      isGood: true,
    },
  ]);
});

test("a timer is good while it waits for a next time", () => {
  const rows = timerRows('[{"unit":"a.timer","next":1795314600000000},{"unit":"b.timer","next":0}]');
  expect(rows).toEqual([
    { name: "a.timer", state: "next 2026-11-22 02:30 UTC", isGood: true },
    { name: "b.timer", state: "not waiting", isGood: false },
  ]);
});

test("the lab is whole when every part has rows and all are good; a scan's findings do not count", () => {
  const good = { name: "x", state: "", isGood: true };
  const bad = { name: "y", state: "", isGood: false };
  expect(isWhole({ Host: [good], Services: [good, good], "Last scan": [bad] })).toBe(true);
  expect(isWhole({ Host: [good], Services: [good, bad] })).toBe(false);
  expect(isWhole({ Host: [good], Services: [] })).toBe(false);
});

test("a scan is told by its counts, and as incomplete when it was", () => {
  const findings = [{ severity: "critical" }, { severity: "critical" }, { severity: "warning" }];
  const report = { finishedAt: "2026-11-21T05:00:00Z", complete: true, registries: [{ tags: 40 }], findings };
  expect(scanLine(summaryOf(report))).toBe("1 registry, 40 tags, 2 critical, 1 warning");
  expect(scanLine(summaryOf({ ...report, complete: false }))).toMatch(/not everything could be read$/);
});
