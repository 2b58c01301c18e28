import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { unmanagedKinds } from "../../contract/unmanaged.ts";
import type { DriftCheck } from "../../engine/drift/record.ts";
import { reportDrift } from "../../engine/drift/report.ts";
import type { Unmanaged } from "../../engine/drift/unmanaged.ts";
import { nodeBinary, projectRoot } from "../../lab/machine/paths.ts";
import { serveAndRecord, stoppedServer } from "../support/server/server.ts";
import { type Service, startPushgateway } from "../support/server/service.ts";

const start = 1_795_241_001;
const hour = 3600;
const change = { operation: "update", type: "host:index:File", name: "compose", properties: ["content"] };
const clean: DriftCheck = { kind: "clean" };
const drift: DriftCheck = { kind: "drift", changes: [change] };
const unchecked: DriftCheck = { kind: "could-not-check" };
const allChecked = unmanagedKinds.map((kind) => ({ kind, found: [] }));
const openPort = [
  ...allChecked.filter(({ kind }) => kind !== "port"),
  { kind: "port" as const, found: [{ name: "9100/tcp", detail: "node_exporter on *" }] },
];

let gateway: Service;
let warnings: string[] = [];
beforeAll(async () => {
  gateway = await startPushgateway();
});
afterAll(async () => gateway.stop());
beforeEach(() => {
  warnings = [];
});

function run(
  check: DriftCheck,
  hours: number,
  more: {
    stack?: string;
    pushgateway?: URL;
    notify?: URL;
    unmanaged?: Unmanaged;
    countsUnmanaged?: boolean;
  } = {},
) {
  return reportDrift({
    stack: "prod",
    check,
    unmanaged: allChecked,
    countsUnmanaged: false,
    pushgateway: new URL(gateway.url),
    notify: undefined,
    runUrl: undefined,
    nowSeconds: start + hours * hour,
    warn: (text) => warnings.push(text),
    ...more,
  });
}

/** The stack's metrics as Prometheus would scrape them. */
async function scraped(stack = "prod"): Promise<Record<string, number>> {
  const text = await (await fetch(new URL("/metrics", gateway.url))).text();
  const lines = text.matchAll(/^drift_stack_(\w+)\{([^}]*)\} (\S+)$/gm);
  const own = [...lines].filter(([, , labels = ""]) => labels.includes(`stack="${stack}"`));
  expect(own.every(([, , labels = ""]) => labels.includes('job="drift-detection"'))).toBe(true);
  return Object.fromEntries(own.map(([, name, , value]) => [name, Number(value)]));
}

const at = (hours: number) => start + hours * hour;

describe("what is on the host beside what is declared", () => {
  test.each([
    ["is no drift", clean, openPort, false, 0],
    ["is drift where that is asked for", clean, openPort, true, 7],
    ["does not hide drift", drift, allChecked, true, 7],
    ["could not be checked, which is no drift", clean, allChecked.slice(1), false, 0],
    ["could not be checked, which is asked for", clean, allChecked.slice(1), true, 1],
    ["does not make a run fine that could not check", unchecked, undefined, true, 1],
  ] as const)("%s", async (_what, check, unmanaged, countsUnmanaged, code) => {
    expect(await run(check, 0, { stack: "beside", unmanaged, countsUnmanaged })).toBe(code);
  });

  test("is taken by the Pushgateway by kind", async () => {
    await run(clean, 0, { stack: "by-kind", unmanaged: openPort });
    const text = await (await fetch(new URL("/metrics", gateway.url))).text();
    expect(text).toMatch(/^drift_unmanaged_count\{[^}]*kind="port",stack="by-kind"\} 1$/m);
    expect(text).toMatch(/^drift_unmanaged_count\{[^}]*kind="file",stack="by-kind"\} 0$/m);
  });
});

describe("the Pushgateway", () => {
  test("knows from run to run when drift was first seen", async () => {
    const steps: [DriftCheck, number, number, Record<string, number>][] = [
      [clean, 0, 0, { state: 0, first_seen: 0, age_hours: 0, count: 0 }],
      [drift, 1, 7, { state: 1, first_seen: at(1), age_hours: 0, count: 1 }],
      [drift, 25, 7, { state: 1, first_seen: at(1), age_hours: 24, count: 1 }],
      [unchecked, 49, 1, { state: 2, first_seen: at(1), age_hours: 48 }],
      [drift, 74, 7, { state: 1, first_seen: at(1), age_hours: 73, count: 1 }],
      [clean, 75, 0, { state: 0, first_seen: 0, age_hours: 0, count: 0 }],
      [drift, 76, 7, { state: 1, first_seen: at(76), age_hours: 0, count: 1 }],
    ];
    for (const [check, hours, code, metrics] of steps) {
      expect(await run(check, hours)).toBe(code);
      expect(await scraped()).toEqual({ ...metrics, last_run_timestamp: at(hours) });
    }
    expect(warnings).toEqual([]);
  });

  test("keeps stacks apart, whatever their names", async () => {
    const stacks = ["dev", "organisation/regwarden/dev", "a b+c"];
    for (const [index, stack] of stacks.entries()) await run(drift, index, { stack });
    for (const [index, stack] of stacks.entries()) {
      await run(drift, 10, { stack });
      expect(await scraped(stack)).toMatchObject({ first_seen: at(index), last_run_timestamp: at(10) });
    }
  });

  test.each([
    ["cannot be reached", clean, 1],
    ["cannot be reached", drift, 7],
    ["cannot be reached", unchecked, 1],
  ] as const)("that %s is reported: %o ends with %i", async (_what, check, code) => {
    const pushgateway = new URL(await stoppedServer());
    expect(await run(check, 0, { pushgateway })).toBe(code);
    expect(warnings).toEqual([
      `The drift run could not report: the Pushgateway ${pushgateway.origin} cannot be reached: ECONNREFUSED.\n`,
    ]);
  });

  test.each([
    ["answers with an error", 500, "", "answered 500"],
    ["is another server", 200, "<html>", "gave no list of its metrics"],
    ["is another server that speaks JSON", 200, "{}", "gave no list of its metrics"],
  ])(
    "that %s is not pushed to: the time at which drift was first seen would be lost",
    async (_what, status, body, fault) => {
      const server = await serveAndRecord(status, body);
      expect(await run(clean, 0, { pushgateway: new URL(server.url) })).toBe(1);
      expect(new Set(server.received.map(({ method }) => method))).toEqual(new Set(["GET"]));
      expect(warnings.join()).toContain(fault);
    },
  );

  test("may be below a path and ask for an account", async () => {
    const server = await serveAndRecord(200, '{"status":"success","data":[]}');
    const pushgateway = new URL("/push/", server.url);
    pushgateway.username = "ci";
    pushgateway.password = "p@ss";
    expect(await run(clean, 0, { pushgateway })).toBe(0);
    const authorization = `Basic ${Buffer.from("ci:p@ss").toString("base64")}`;
    for (const { headers } of server.received) expect(headers.authorization).toBe(authorization);
    expect(server.received.map(({ method }) => method)).toEqual(["GET", "PUT"]);
  });

  test("that fails is named without its account and path", async () => {
    const server = await serveAndRecord(403);
    const pushgateway = new URL("/s3cret-path", server.url);
    pushgateway.username = "ci";
    pushgateway.password = "s3cret-word";
    expect(await run(drift, 0, { pushgateway })).toBe(7);
    expect(warnings).toEqual([
      `The drift run could not report: the Pushgateway ${server.url} answered 403.\n`,
    ]);
  });
});

describe("the webhook", () => {
  test("gets drift, with the time of first sight, and runs that could not check, but no clean runs", async () => {
    const server = await serveAndRecord(200, "ok");
    const targets = { stack: "reported", notify: new URL(server.url) };
    for (const [check, hours] of [
      [clean, 0],
      [drift, 1],
      [unchecked, 2],
      [clean, 3],
    ] as const)
      await run(check, hours, targets);
    const texts = server.received.map(({ body }) => (JSON.parse(body) as { text: string }).text);
    expect(texts).toHaveLength(2);
    expect(texts[0]).toMatch(/1 resource, first seen 2026-11-21 07:03 UTC\.\n• update File compose: content/);
    expect(texts[1]).toMatch(/could not check stack reported.*first seen 2026-11-21 07:03 UTC/);
  });

  test.each([
    ["refuses", 403, {}, "the webhook answered 403"],
    ["sends elsewhere", 302, { location: "http://127.0.0.1:1/" }, "the webhook answered 302"],
  ])(
    "that %s is reported without its address, and drift keeps its exit code",
    async (_what, status, headers, fault) => {
      const server = await serveAndRecord(status, "", headers);
      const notify = new URL("/services/T0/s3cret", server.url);
      expect(await run(drift, 0, { notify })).toBe(7);
      expect(warnings.join()).toContain(fault);
      expect(warnings.join()).not.toMatch(/s3cret|127\.0\.0\.1/);
    },
  );
});

describe("npm run drift", () => {
  test("pushes state 2 and ends with 1 when there is no stack to check", async () => {
    const empty = mkdtempSync(join(tmpdir(), "regwarden-drift-"));
    const options = ["drift", "--stack", "nowhere", "--pushgateway", gateway.url];
    const { status, stderr } = spawnSync(nodeBinary, ["engine/main.ts", ...options], {
      cwd: projectRoot,
      encoding: "utf8",
      env: { PATH: process.env.PATH, HOME: empty, PULUMI_BACKEND_URL: `file://${empty}/missing` },
    });
    expect(stderr).toContain("Stack nowhere: could not check");
    expect(status).toBe(1);
    expect(await scraped("nowhere")).toMatchObject({ state: 2, first_seen: 0 });
  });
});
