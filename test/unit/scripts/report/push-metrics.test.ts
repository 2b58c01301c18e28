import { expect, test } from "vitest";
import { pushMetrics } from "../../../../scripts/report/push-metrics.ts";
import { serveAndRecord, stoppedServer } from "../../../support/server/server.ts";

const groups = ["one", "two"].map((instance) => ({
  key: [
    ["job", "x"],
    ["instance", instance],
  ] as const,
  text: `up 1 # ${instance}\n`,
}));

/** What is written to standard error while the groups are put, and whether they arrived. */
async function push(base: string | undefined) {
  let written = "";
  const err = (text: string) => {
    written += text;
  };
  const terminal = { out: () => {}, err, isInteractive: false, readLine: async () => "" };
  return { hasArrived: await pushMetrics("scan", base, groups, terminal), written };
}

test("each group of metrics replaces its own in the Pushgateway", async () => {
  const { url, received } = await serveAndRecord(202);
  expect(await push(`${url}/below`)).toEqual({ hasArrived: true, written: "" });
  expect(received.map(({ method, path, body }) => [method, path, body]).sort()).toEqual([
    ["PUT", "/below/metrics/job/x/instance/one", "up 1 # one\n"],
    ["PUT", "/below/metrics/job/x/instance/two", "up 1 # two\n"],
  ]);
});

test("a run without a Pushgateway puts nothing and lacks nothing", async () => {
  expect(await push(undefined)).toEqual({ hasArrived: true, written: "" });
});

test("metrics that a Pushgateway refuses are reported once, with its reason", async () => {
  const { url } = await serveAndRecord(400, "bad label\n");
  expect(await push(url)).toEqual({
    hasArrived: false,
    written: `regwarden scan: the metrics could not be put, so no alert will fire: the Pushgateway ${url} answered 400: bad label.\nWhat the run found stands all the same.\n`,
  });
});

test("a Pushgateway that does not answer is named", async () => {
  const url = await stoppedServer();
  const { hasArrived, written } = await push(url);
  expect(hasArrived).toBe(false);
  expect(written).toContain(`the Pushgateway ${url} cannot be reached: ECONNREFUSED.`);
});
