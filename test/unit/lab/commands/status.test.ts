import { expect, test } from "vitest";
import { daemonRow, isUp, serviceRows, timerRows } from "../../../../lab/commands/status.ts";

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

test("a stopped container that an update has renamed does not count", () => {
  const displaced = stopped.replace("registry-ui", "registry-ui.displaced-20261121T111510Z");
  expect(serviceRows(displaced)).toEqual([
    {
      name: "registry-ui.displaced-20261121T111510Z",
      state: "Exited (0) 3 seconds ago, renamed by an update that needed its name",
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

test("a daemon is good while it runs and answers", () => {
  const etcd = { name: "etcd", url: "http://127.77.0.1:23790" };
  expect(daemonRow({ ...etcd, pid: 7, answers: true })).toEqual({
    name: "etcd",
    state: "http://127.77.0.1:23790, process 7",
    isGood: true,
  });
  const silent = daemonRow({ ...etcd, pid: 7, answers: false });
  expect([silent.state, silent.isGood]).toEqual([
    "http://127.77.0.1:23790, process 7, does not answer",
    false,
  ]);
  expect(daemonRow({ ...etcd, pid: undefined, answers: true })).toMatchObject({
    state: "does not run",
    isGood: false,
  });
});

test("the lab is up when every part has rows and all are good; a scan's findings do not count", () => {
  const good = { name: "x", state: "", isGood: true };
  const bad = { name: "y", state: "", isGood: false };
  expect(isUp({ Host: [good], Services: [good, good], "Last scan": [bad] })).toBe(true);
  expect(isUp({ Host: [good], Services: [good, bad] })).toBe(false);
  expect(isUp({ Host: [good], Services: [] })).toBe(false);
});
