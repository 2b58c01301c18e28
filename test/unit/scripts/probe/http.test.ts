import { describe, expect, test } from "vitest";
import { parseChallenge } from "../../../../scripts/http/challenge.ts";
import { fakeRegistry, json, probe } from "../../../support/fake-registry.ts";
import { image } from "../../../support/oci-content.ts";
import { serve } from "../../../support/server.ts";
import { tokenRegistry } from "../../../support/token-registry.ts";

const amd64 = image("amd64", "linux/amd64");
const images = { "a:1": amd64, "b:1": amd64 };

describe("a registry that wants tokens", () => {
  test("gets one for each scope, fetched once", async () => {
    const registry = await tokenRegistry(images);
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.errors]).toEqual([0, { unauthorised: 0, unavailable: 0, unexpected: 0 }]);
    expect(registry.issued.sort()).toEqual([
      "fake registry:catalog:*",
      "fake repository:a:pull",
      "fake repository:b:pull",
    ]);
  });

  test("gets a new one when the old one is used up", async () => {
    const registry = await tokenRegistry(images, { uses: 2 });
    const { exitCode } = await probe(registry.url, ["--concurrency", "1"]);
    expect(exitCode).toBe(0);
    expect(registry.issued.filter((scope) => scope === "fake repository:a:pull").length).toBeGreaterThan(1);
  });

  test("is not trusted with an account for a third host that no TLS vouches for", async () => {
    const shown: unknown[] = [];
    const thief = await serve(({ headers }, response) => {
      shown.push(headers.authorization);
      json(response, { token: "x" });
    });
    const registry = await tokenRegistry(images, { realmOf: () => thief.replace("127.0.0.1", "localhost") });
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.errors.unexpected]).toEqual([3, 1]);
    expect(report.findings[0]?.message).toContain("not trusted with the account");
    expect(shown).toEqual([]);
  });

  test("whose token server refuses the account is unauthorised", async () => {
    const registry = await tokenRegistry(images);
    const { exitCode, report } = await probe(registry.url, [], { REG_PASS: "wrong" });
    expect([exitCode, report.errors.unauthorised]).toEqual([3, 1]);
  });
});

test.each([
  ['Basic realm="a, b"', { scheme: "basic" }],
  ["Basic", { scheme: "basic" }],
  ['Bearer realm="https://t/x",service="s"', { scheme: "bearer", realm: "https://t/x", service: "s" }],
  ['Basic realm="x", Bearer realm="https://t"', { scheme: "bearer", realm: "https://t" }],
  ['bearer service=s, realm="a\\"b"', { scheme: "bearer", realm: 'a"b', service: "s" }],
  ["Bearer", undefined],
  ['Negotiate realm="Basic"', undefined],
  [null, undefined],
])("the challenge %j", (header, expected) => {
  if (expected) expect(parseChallenge(header)).toMatchObject(expected);
  else expect(parseChallenge(header)).toBeUndefined();
});

describe("lists", () => {
  const pages = (links: Readonly<Record<string, string>>) =>
    fakeRegistry({ "a:1": amd64, "b:1": amd64 }, ({ url = "", headers }, response) => {
      const { pathname, searchParams } = new URL(url, "http://fake");
      if (pathname !== "/v2/_catalog" || headers.authorization === undefined) return undefined;
      const name = searchParams.has("last") ? "b" : "a";
      const link = links[name];
      if (link !== undefined) response.setHeader("link", `<${link}>; rel="next"`);
      json(response, { repositories: [name] });
      return true;
    });

  test("are read to their last page", async () => {
    const registry = await pages({ a: "/v2/_catalog?last=a" });
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.repositories]).toEqual([0, 2]);
  });

  test.each([
    ["elsewhere", "https://elsewhere.example/v2/_catalog?last=a", "a next page elsewhere"],
    ["in a circle", "/v2/_catalog", "was read before"],
  ])("that lead %s were not read", async (_what, link, reason) => {
    const registry = await pages({ a: "/v2/_catalog?last=a", [link.startsWith("/") ? "b" : "a"]: link });
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.catalogueAccessible]).toEqual([3, false]);
    expect(report.findings[0]?.message).toContain(reason);
  });
});

describe("a server that is busy", () => {
  const busy = (times: number, retryAfter: string) => {
    let answers = 0;
    return fakeRegistry({ "a:1": amd64 }, ({ url = "", headers }, response) => {
      if (!url.endsWith("/tags/list") || !headers.authorization || answers++ >= times) return undefined;
      response.writeHead(429, { "retry-after": retryAfter }).end();
      return true;
    });
  };

  test("is asked again after the time that it wants", async () => {
    const registry = await busy(1, "1");
    const start = performance.now();
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.complete]).toEqual([0, true]);
    expect(performance.now() - start).toBeGreaterThan(950);
  });

  test("is not asked again when it wants more time than there is", async () => {
    const registry = await busy(1, "3600");
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.errors.unavailable]).toEqual([3, 1]);
  });
});
