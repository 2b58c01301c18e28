import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { nginxConfig } from "../../../../components/host/render/nginx-config.ts";
import {
  checkDeployment,
  exitCodeOf,
  renderChecks,
} from "../../../../scripts/deployment/check-deployment/main.ts";
import { sentinel } from "../../../../scripts/deployment/sentinel.ts";
import { createClient } from "../../../../scripts/http/client.ts";
import { temporaryDirectory } from "../../../support/program.ts";
import { SETTINGS } from "../../../support/program-stack/settings.ts";
import { type Handler, serve, stoppedServer } from "../../../support/server/server.ts";

const now = Date.parse("2026-01-02T03:04:05Z");
const account = { user: "ci", password: "right" };
const repository = "regwarden/sentinel";
const goodReport = {
  schema: "regwarden/scan/v1",
  finishedAt: "2026-01-02T03:00:00.000Z",
  complete: true,
  findings: [] as object[],
};

/** A registry that is as it should be, except for what a case changes by the path. */
function registry(changes: Record<string, Handler> = {}): Handler {
  const rightly = `Basic ${Buffer.from("ci:right").toString("base64")}`;
  return (request, response) => {
    const url = new URL(request.url ?? "", "http://localhost");
    const change = changes[url.pathname];
    if (change) return change(request, response);
    if (request.headers.authorization !== rightly)
      return void response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
    if (url.pathname === "/v2/") return void response.end("{}");
    if (url.pathname === "/v2/_catalog")
      return void response.end(JSON.stringify({ repositories: [repository] }));
    if (url.pathname === `/v2/${repository}/manifests/1`) return void response.end(sentinel.manifest);
    response.writeHead(404).end();
  };
}

const status =
  (code: number, body = ""): Handler =>
  (_request, response) =>
    void response.writeHead(code).end(body);

interface Case {
  readonly own?: string;
  readonly cache?: string;
  readonly ui?: string;
  readonly report?: object | string;
  readonly jobs?: string;
  readonly isRestricted?: boolean;
}

async function run({
  own,
  cache,
  ui,
  report = goodReport,
  jobs = "-- end of jobs --\n",
  isRestricted,
}: Case = {}) {
  const directory = await temporaryDirectory();
  const path = join(directory, "scan.json");
  if (jobs !== undefined) await writeFile(join(directory, "jobs"), jobs);
  await writeFile(path, typeof report === "string" ? report : JSON.stringify(report));
  const config = {
    private: { url: own ?? (await serve(registry())), user: "ci", sentinel: { repository, tag: "1" } },
    caches: [{ name: "dockerhub", url: cache ?? (await serve(status(200))), isRestricted }],
    ui: { url: ui ?? (await serve(status(401))) },
    scanReport: { path, maximumAgeSeconds: 600 },
    jobs: join(directory, "jobs"),
  };
  const send = createClient({ patienceSeconds: 0, note: () => {} });
  const checks = await checkDeployment(config, account, send, now);
  const failed = checks.filter(({ holds }) => !holds).map(({ title }) => title);
  return { checks, failed, text: renderChecks(checks), exitCode: exitCodeOf(checks) };
}

describe("a deployment", () => {
  test("that is as it should be passes, one line for each assertion", async () => {
    const { text, exitCode } = await run();
    expect(exitCode).toBe(0);
    expect(text.split("\n").filter((line) => line.startsWith("ok "))).toHaveLength(9);
    expect(text).toContain("All 9 assertions hold.");
    expect(text).not.toContain("right");
  });

  test("with nginx at another backend gets the hint to restart it", async () => {
    const other = await serve((request, response) => {
      const isCatalogue = request.url?.startsWith("/v2/_catalog");
      if (isCatalogue || request.url === "/v2/") response.end('{"repositories":[]}');
      else response.writeHead(404).end();
    });
    const { failed, text, exitCode } = await run({ own: other });
    expect(exitCode).toBe(1);
    expect(failed).toEqual([
      "private registry asks for an account",
      "private registry refuses a wrong password",
      "the sentinel can be pulled",
      "the catalogue is the registry's own",
    ]);
    expect(text).toContain("got 200 with an empty catalogue");
    expect(text).toContain("hint: nginx talks to another backend");
    expect(text).toContain("got an empty catalogue");
  });

  test.each<[string, Record<string, Handler>, string[], string]>([
    [
      "is open to every client",
      { "/v2/": status(200), "/v2/_catalog": status(200, JSON.stringify({ repositories: [repository] })) },
      ["private registry asks for an account", "private registry refuses a wrong password"],
      "every client can pull",
    ],
    [
      "does not say that it wants an account",
      {
        "/v2/": (request, response) =>
          void response.writeHead(request.headers.authorization?.endsWith("cmlnaHQ=") ? 200 : 401).end(),
      },
      ["private registry asks for an account"],
      "got 401 without WWW-Authenticate",
    ],
    [
      "lacks the sentinel",
      { [`/v2/${repository}/manifests/1`]: status(404) },
      ["the sentinel can be pulled"],
      "regwarden seed-sentinel",
    ],
    [
      "has another image in its place",
      { [`/v2/${repository}/manifests/1`]: status(200, "{}") },
      ["the sentinel can be pulled"],
      "another image was pushed over it",
    ],
    [
      "does not list it",
      { "/v2/_catalog": status(200, '{"repositories":["other"]}') },
      ["the catalogue is the registry's own"],
      "got not listed",
    ],
    [
      "redirects",
      {
        "/v2/": (_request, response) =>
          void response.writeHead(302, { location: "http://localhost:1/" }).end(),
      },
      [
        "private registry asks for an account",
        "private registry refuses a wrong password",
        "private registry accepts the account",
      ],
      "something in between redirects",
    ],
  ])("whose registry %s fails there only", async (_what, changes, expected, hint) => {
    const { failed, text, exitCode } = await run({ own: await serve(registry(changes)) });
    expect(failed).toEqual(expected);
    expect(text).toContain(hint);
    expect(exitCode).toBe(1);
  });

  test("finds the sentinel on a later page of the catalogue, but follows no link elsewhere", async () => {
    const foreign: string[] = [];
    const elsewhere = await serve((request, response) => {
      foreign.push(request.headers.authorization ?? "");
      response.end(JSON.stringify({ repositories: [repository] }));
    });
    const paged =
      (target: string): Handler =>
      (request, response) => {
        const isLater = request.url?.includes("page=2");
        const link = `<${target}>; rel="next"`;
        response
          .writeHead(200, isLater ? {} : { link })
          .end(JSON.stringify({ repositories: [isLater ? repository : "a"] }));
      };
    const later = await serve(registry({ "/v2/_catalog": paged("/v2/_catalog?page=2") }));
    expect((await run({ own: later })).failed).toEqual([]);
    const lured = await serve(registry({ "/v2/_catalog": paged(`${elsewhere}/v2/_catalog`) }));
    expect((await run({ own: lured })).failed).toEqual(["the catalogue is the registry's own"]);
    expect(foreign).toEqual([]);
  });

  test("with a cache or the user interface amiss fails there", async () => {
    const { failed, text } = await run({ cache: await serve(status(500)), ui: await serve(status(200)) });
    expect(failed).toEqual(["cache dockerhub answers", "the user interface is closed to strangers"]);
    expect(text).toContain("expected 401, got 200");
  });

  test("with a cache that answers other networks only passes where nginx says that it works", async () => {
    const restricted =
      (health: number): Handler =>
      (request, response) =>
        void response.writeHead(request.url === "/healthz" ? health : 403).end();
    const isRestricted = true;
    expect((await run({ cache: await serve(restricted(200)), isRestricted })).failed).toEqual([]);
    expect((await run({ cache: await serve(restricted(503)), isRestricted })).failed).toEqual([
      "cache dockerhub answers",
    ]);
    expect((await run({ cache: await serve(restricted(200)) })).failed).toEqual(["cache dockerhub answers"]);
  });

  test("whose user interface is open to every client names the directive that nginx lacks", async () => {
    const directive = /^ +(auth_\w+) .*;$/m.exec(nginxConfig(SETTINGS))?.[1];
    const { text } = await run({ ui: await serve(status(200)) });
    expect(text).toContain(`put ${directive} back into`);
  });

  test("of which a part does not answer fails, with everything else still checked", async () => {
    const { failed, text, exitCode } = await run({ cache: await stoppedServer() });
    expect(failed).toEqual(["cache dockerhub answers"]);
    expect(text).toContain("does not answer: ECONNREFUSED");
    expect(exitCode).toBe(1);
  });

  test("of which nothing answers could not be checked, and everything is still listed", async () => {
    const down = await stoppedServer();
    const { checks, failed, exitCode } = await run({ own: down, cache: down, ui: down });
    expect(exitCode).toBe(3);
    expect(checks).toHaveLength(9);
    expect(failed).toHaveLength(7);
  });
});

describe("the scan report", () => {
  const title = "the scan report is complete and fresh";

  test.each<[string, object | string, string]>([
    ["is too old", { ...goodReport, finishedAt: "2026-01-02T02:54:04.000Z" }, "it is too old"],
    ["is from the future", { ...goodReport, finishedAt: "2026-01-02T03:06:00.000Z" }, "set the clocks right"],
    ["is not complete", { ...goodReport, complete: false }, "NOT complete"],
    ["is of another version", { ...goodReport, schema: "regwarden/scan/v2" }, "another document"],
    ["is not JSON", "{", "got none: "],
  ])("that %s fails", async (_what, report, text) => {
    const outcome = await run({ report });
    expect(outcome.failed).toEqual([title]);
    expect(outcome.text).toContain(text);
  });

  test("that is too old names the unit that makes a new one", async () => {
    const { text } = await run({ report: { ...goodReport, finishedAt: "2026-01-01T00:00:00.000Z" } });
    expect(text).toContain(
      "systemctl start regwarden-scan.service, journalctl --unit regwarden-scan.service.",
    );
  });

  test("with findings passes, and they are reported", async () => {
    const findings = [{ severity: "critical" }, { severity: "warning" }];
    const { failed, text, exitCode } = await run({ report: { ...goodReport, findings } });
    expect(failed).toEqual([]);
    expect(text).toContain("warning: the scan has 2 findings, 1 of them critical.");
    expect(exitCode).toBe(0);
  });
});

describe("the host's scheduled jobs", () => {
  const title = "no scheduled job of the host removes what tags need";
  const collect = "docker exec registry-private registry garbage-collect -m /etc/docker/registry/config.yml";

  test("fail the check when one removes what tags need, with file, line and command", async () => {
    const jobs = `/var/spool/cron/crontabs/root\u00007:25 3 * * 0 ${collect}\n-- end of jobs --\n`;
    const { failed, text, exitCode } = await run({ jobs });
    expect(failed).toEqual([title]);
    expect(text).toContain(`/var/spool/cron/crontabs/root:7: 25 3 * * 0 ${collect}`);
    expect(text).toContain("crontab -e");
    expect(exitCode).toBe(1);
  });

  test("fail the check when they could not be listed, with what was said instead", async () => {
    const { failed, text } = await run({ jobs: "xargs: not found\n" });
    expect(failed).toEqual([title]);
    expect(text).toMatch(/no complete list of the host's jobs[\s\S]*xargs: not found/);
  });
});
