import { appendFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { accessLogSilenceLimitMs } from "../../../../contract/access-log.ts";
import { coverageFault, coverageOfAll } from "../../../../scripts/access-log/coverage.ts";
import { followAccessLog } from "../../../../scripts/access-log/follow.ts";
import { lastPulls } from "../../../../scripts/access-log/last-pulls.ts";
import { parseRegistryRequest } from "../../../../scripts/access-log/registry-request.ts";
import { touchedDigests } from "../../../../scripts/access-log/touched-digests.ts";
import { digestOf } from "../../../../scripts/registry/digest.ts";
import { type Line, logHead, logLine, writeLog } from "../../../support/access-log/access-log.ts";

const hour = 3600 * 1000;
const day = 24 * hour;
const now = Date.UTC(2026, 10, 22, 3);
const digest = (name: string) => digestOf(Buffer.from(name));
const [one, two, three, four] = ["one", "two", "three", "four"].map(digest) as [
  `sha256:${string}`,
  `sha256:${string}`,
  `sha256:${string}`,
  `sha256:${string}`,
];
const lines = (...given: readonly Line[]) => given.map(logLine).join("");
const none = () => false;

describe("a request is about", () => {
  test.each([
    ["GET", `/v2/team/app/manifests/v1`, { about: "manifest", repository: "team/app", reference: "v1" }],
    ["HEAD", `/v2/app/manifests/${one}`, { about: "manifest", reference: one, digest: one }],
    ["HEAD", `/v2/app/manifests/${one.replace(":", "%3A")}`, { about: "manifest", digest: one }],
    ["GET", `/v2/app/manifests/v1?ns=docker.io`, { about: "manifest", reference: "v1" }],
    ["GET", `/v2/a/manifests/b/manifests/v1`, { about: "manifest", repository: "a/manifests/b" }],
    ["GET", `/v2/a/blobs/uploads/blobs/${one}`, { about: "blob", repository: "a/blobs/uploads" }],
    ["HEAD", `/v2/app/blobs/${two}`, { about: "blob", repository: "app", digest: two }],
    [
      "POST",
      `/v2/app/blobs/uploads/?mount=${one}&from=other`,
      { about: "mount", repository: "app", digest: one },
    ],
    [
      "PUT",
      `/v2/app/blobs/uploads/5-a?_state=x%3D&digest=${two.replace(":", "%3A")}`,
      { about: "commit", digest: two },
    ],
  ])("%s %s", (method, uri, expected) => {
    expect(parseRegistryRequest({ method, uri })).toMatchObject(expected);
  });

  test.each([
    ["GET", "/v2/"],
    ["GET", "/v2/_catalog?n=5"],
    ["GET", "/v2/app/tags/list"],
    ["PATCH", "/v2/app/blobs/uploads/5-a?_state=x"],
    ["POST", "/v2/app/blobs/uploads/"],
    ["GET", "/v2/app/blobs/sha256:0"],
    ["GET", "/v2/APP/manifests/v1"],
    ["GET", "/v2/app/manifests/%"],
    ["GET", "/"],
    ["", ""],
  ])("no content of a repository: %s %s", (method, uri) => {
    const asked = parseRegistryRequest({ method, uri });
    expect(asked?.digest).toBeUndefined();
  });
});

describe("touched are", () => {
  const touched = async (...given: readonly Omit<Line, "time">[]) => {
    const path = await writeLog({ "": lines(...given.map((line) => ({ time: now, ...line }))) });
    return [...(await touchedDigests([path], now - hour)).digests].map(([name, where]) => [name, ...where]);
  };

  test("digests that a client was told to exist: by HEAD, GET, a part of it, a mount, a commit or a push", async () => {
    const found = await touched(
      { method: "HEAD", uri: `/v2/app/blobs/${one}` },
      { method: "GET", uri: `/v2/other/blobs/${one}`, status: 206 },
      { method: "POST", uri: `/v2/app/blobs/uploads/?mount=${two}&from=other`, status: 201 },
      { method: "PUT", uri: `/v2/app/blobs/uploads/5?digest=${three}`, status: 201 },
      { method: "PUT", uri: `/v2/app/manifests/${four}`, status: 201 },
    );
    expect(found).toEqual([
      [one, "app", "other"],
      [two, "app"],
      [three, "app"],
      [four, "app"],
    ]);
  });

  test("not those that were refused, not found, deleted, or of which the mount became an upload", async () => {
    const found = await touched(
      { method: "HEAD", uri: `/v2/app/blobs/${one}`, status: 404 },
      { method: "GET", uri: `/v2/app/blobs/${one}`, status: 401 },
      { method: "POST", uri: `/v2/app/blobs/uploads/?mount=${two}&from=other`, status: 202 },
      { method: "DELETE", uri: `/v2/app/manifests/${three}`, status: 202 },
      { method: "GET", uri: `/v2/app/blobs/${four}`, status: 0 },
    );
    expect(found).toEqual([]);
  });

  test("a manifest that a client has already, and was told to be still there", async () => {
    expect(await touched({ uri: `/v2/app/manifests/${one}`, status: 304 })).toEqual([[one, "app"]]);
  });

  test("those since a time, and all later lines when the clock was set back meanwhile", async () => {
    const path = await writeLog({
      "": lines(
        { time: now - 3 * hour, uri: `/v2/app/blobs/${one}` },
        { time: now, uri: `/v2/app/blobs/${two}` },
        { time: now - day, uri: `/v2/app/blobs/${three}` },
      ),
    });
    expect([...(await touchedDigests([path], now - 2 * hour)).digests.keys()]).toEqual([two, three]);
  });
});

describe("pulled are", () => {
  test("tags and digests by GET or HEAD, the last time counts, and blobs are no pull", async () => {
    const path = await writeLog({
      "": lines(
        { time: now - 2 * hour, uri: "/v2/app/manifests/v1" },
        { time: now - hour, method: "HEAD", uri: "/v2/app/manifests/v1" },
        { time: now - hour, uri: `/v2/app/manifests/${one}` },
        { time: now, uri: `/v2/app/blobs/${two}` },
        { time: now, method: "PUT", uri: "/v2/app/manifests/v1", status: 201 },
        { time: now, uri: "/v2/app/manifests/v2", status: 404 },
      ),
    });
    const { repositories } = await lastPulls([path], 0, none);
    expect([...(repositories.get("app") ?? [])]).toEqual([
      ["v1", now - hour],
      [one, now - hour],
    ]);
  });

  test("not what an ignored agent pulled", async () => {
    const path = await writeLog({
      "": lines(
        { time: now, uri: "/v2/app/manifests/v1", agent: "regwarden" },
        { time: now, uri: "/v2/app/manifests/v2", agent: "docker/29" },
      ),
    });
    const { repositories } = await lastPulls([path], 0, (agent) => agent === "regwarden");
    expect([...(repositories.get("app")?.keys() ?? [])]).toEqual(["v2"]);
  });
});

describe("a log holds every request", () => {
  const coverage = async (files: Readonly<Record<string, string>>) => {
    const path = await writeLog(files);
    const { coverage } = await touchedDigests([path], 0);
    return { ...coverage, reason: coverage.reason.replaceAll(path, "LOG") };
  };

  test("since the oldest file to which the heads lead, plain or compressed", async () => {
    const found = await coverage({
      "": logHead(now - day, "access.log-2") + lines({ time: now }),
      "-2": logHead(now - 2 * day, "access.log-1"),
      "-1.gz": logHead(now - 3 * day, null) + lines({ time: now - 3 * day + hour }),
    });
    expect(found).toMatchObject({ since: now - 3 * day, until: now });
  });

  test.each([
    [
      "a file between is missing",
      { "-1": logHead(now - 3 * day, null) },
      now - day,
      /access.log-2, the file before LOG, is missing/,
    ],
    ["a file has no head", { "-2": lines({ time: now - 2 * day }) }, now - 2 * day, /LOG-2 has no head/],
    ["a compressed file is cut off", { "-2.gz": "" }, now - day, /LOG-2.gz could not be read/],
    ["a file before it is empty", { "-2": "" }, now - day, /LOG-2 has no line/],
    ["heads lead in a circle", { "-2": logHead(now - 2 * day, "access.log") }, now - 2 * day, /has no line/],
  ])("not further back where %s", async (_, others, since, reason) => {
    const path = await writeLog({ "": logHead(now - day, "access.log-2") + lines({ time: now }), ...others });
    if ("-2.gz" in others) await writeFile(`${path}-2.gz`, Buffer.from("1f8b0800", "hex"));
    const { coverage } = await touchedDigests([path], 0);
    expect({ ...coverage, reason: coverage.reason.replaceAll(path, "LOG") }).toEqual({
      since,
      until: now,
      reason: expect.stringMatching(reason),
    });
  });

  test("for no time when it is missing, empty, or in another form", async () => {
    expect(await coverage({})).toMatchObject({ since: null, reason: "LOG is missing." });
    expect(await coverage({ "": "" })).toMatchObject({ since: null, reason: "LOG has no line." });
    const other = await coverage({ "": '10.0.0.1 - - "GET /v2/ HTTP/1.1" 200\n'.repeat(20) });
    expect(other).toMatchObject({ since: null, reason: expect.stringContaining("20 are unparsable") });
  });

  test("although a full disk has cut off a few lines; they are skipped and counted", async () => {
    const path = await writeLog({
      "": `{"time":17\n${lines({ time: now - hour, uri: `/v2/app/blobs/${one}` })}\u0000\n${lines({ time: now })}{"time":1`,
    });
    const found = await touchedDigests([path], 0);
    expect(found).toMatchObject({ lines: 4, skippedLines: 2, coverage: { until: now } });
    expect([...found.digests.keys()]).toEqual([one]);
  });

  test("of several logs, only while all of them do", () => {
    const all = [
      { since: 5, until: 90, reason: "a" },
      { since: 20, until: 80, reason: "b" },
    ];
    expect(coverageOfAll(all)).toEqual({ since: 20, until: 80, reason: "b" });
    expect(coverageOfAll([...all, { since: null, until: null, reason: "c" }])).toEqual({
      since: null,
      until: null,
      reason: "c",
    });
    expect(coverageOfAll([]).since).toBeNull();
  });

  test("and is of use when it reaches back far enough and is still being written", () => {
    const reason = "LOG is the first file of this log.";
    const asked = { since: now - day, now };
    expect(coverageFault({ since: now - 2 * day, until: now, reason }, asked)).toBeUndefined();
    expect(coverageFault({ since: now - day, until: now, reason }, asked)).toBeUndefined();
    expect(coverageFault({ since: now - day + 1, until: now, reason }, asked)).toMatch(
      /only, and .* is needed/,
    );
    expect(coverageFault({ since: null, until: null, reason }, asked)).toMatch(/cannot be used/);
    const silent = { since: now - 9 * day, until: now - accessLogSilenceLimitMs - 1, reason };
    expect(coverageFault(silent, asked)).toMatch(/does not write it any more/);
  });
});

test("files that ended long before are not read", async () => {
  const path = await writeLog({
    "": logHead(now - hour, "access.log-2") + lines({ time: now }),
    "-2": logHead(now - day, "access.log-1") + lines({ time: now - 2 * hour }),
    "-1": `${logHead(now - 9 * day, null)}strange\n`,
  });
  expect(await touchedDigests([path], now - 2 * hour)).toMatchObject({ lines: 4, skippedLines: 0 });
  expect(await touchedDigests([path], now - 3 * day)).toMatchObject({ lines: 6, skippedLines: 1 });
});

test("a million lines take seconds of the processor", async () => {
  const path = await writeLog({ "": logHead(now - day, null) });
  const part = lines(
    ...Array.from({ length: 1000 }, (_, index) => ({
      time: now - index,
      method: "HEAD",
      uri: `/v2/team/app-${index % 50}/manifests/${digest(String(index))}`,
      agent: "containerd/v2.2.1",
    })),
  );
  for (let count = 0; count < 200; count += 1) await appendFile(path, part);
  const before = process.cpuUsage();
  const { lines: read, digests } = await touchedDigests([path], 0);
  expect([read, digests.size]).toEqual([200_001, 1000]);
  // A fifth of a million, and a machine that others use as well is slow.
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(8);
});

describe("who follows a log", () => {
  async function following(path: string) {
    const end = new AbortController();
    const requests = followAccessLog(path, { signal: end.signal, everyMs: 5 });
    const next = async () => (await requests.next()).value?.uri;
    return { next, end: () => end.abort() };
  }

  test("gets what is written from then on, and goes on in the next file after a rotation", async () => {
    const path = await writeLog({ "": lines({ time: now, uri: "/old" }) });
    const { next, end } = await following(path);
    const first = next();
    // The file is open when its present content is passed over, which nothing shows: so it is written until it is seen.
    let isSeen = false;
    const writing = (async () => {
      while (!isSeen) {
        await appendFile(path, lines({ time: now, uri: "/first" }));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    expect(await first).toBe("/first");
    isSeen = true;
    await writing;
    await rename(path, `${path}-1`);
    await writeFile(path, logHead(now, "access.log-1") + lines({ time: now, uri: "/second" }));
    await appendFile(`${path}-1`, lines({ time: now, uri: "/late" }));
    const seen = new Set<string | undefined>();
    while (!seen.has("/second") || !seen.has("/late")) seen.add(await next());
    await truncate(path);
    await appendFile(path, lines({ time: now, uri: "/after" }));
    expect(await next()).toBe("/after");
    end();
    expect(await next()).toBeUndefined();
  });

  test("waits for a file that is missing", async () => {
    const path = await writeLog({ "": "" });
    await rm(path);
    const { next, end } = await following(path);
    const first = next();
    await writeFile(path, lines({ time: now, uri: "/first" }));
    expect(await first).toBe("/first");
    end();
  });
});
