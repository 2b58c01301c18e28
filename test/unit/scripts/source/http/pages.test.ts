import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { collect } from "../../../../../scripts/source/bounded.ts";
import { httpRegistry } from "../../../../../scripts/source/http/registry.ts";
import { image } from "../../../../support/images/oci-content.ts";
import { fakeRegistry, json, probe } from "../../../../support/registry/fake-registry.ts";
import { serve } from "../../../../support/server/server.ts";

const amd64 = image("amd64", "linux/amd64");

/** The repositories that a server lists, and what it was asked. */
async function repositories(answer: (url: URL, response: ServerResponse) => void) {
  const asked: string[] = [];
  const origin = await serve(({ url = "" }, response) => {
    asked.push(url);
    answer(new URL(url, "http://fake"), response);
  });
  const source = httpRegistry({ name: "r", origin, account: undefined, concurrency: 1 });
  const facts = await collect(source.repositories());
  const names = facts.map((fact) => (fact.state === "found" ? fact.name : fact.reason));
  return { names, asked, errors: source.tally().errors };
}

describe("the catalogue", () => {
  test("is asked for in pages of a thousand, and with the addresses that these name", async () => {
    const { names, asked } = await repositories(({ searchParams }, response) => {
      const isFirst = !searchParams.has("last");
      if (isFirst) response.setHeader("link", '</v2/_catalog?last=a&n=1000>; rel="next"');
      json(response, { repositories: [isFirst ? "a" : "b"] });
    });
    expect([names, asked]).toEqual([
      ["a", "b"],
      ["/v2/_catalog?n=1000", "/v2/_catalog?last=a&n=1000"],
    ]);
  });

  test("is asked for without a size where the server refuses that, which is no failed request", async () => {
    const refusal = { errors: [{ code: "PAGINATION_NUMBER_INVALID", message: "invalid number of results" }] };
    const { names, asked, errors } = await repositories(({ searchParams }, response) =>
      searchParams.has("n") ? json(response, refusal, 400) : json(response, { repositories: ["a"] }),
    );
    expect([names, asked]).toEqual([["a"], ["/v2/_catalog?n=1000", "/v2/_catalog"]]);
    expect(errors.unexpected).toBe(0);
  });

  test.each([{}, { repositories: null }, { repositories: [] }])("is empty as %j", async (document) => {
    const { names } = await repositories((_url, response) => json(response, document));
    expect(names).toEqual([]);
  });

  test.each([[[]], ["a"], [null], [{ repositories: "a" }], [{ repositories: [""] }]])(
    "is none as %j",
    async (document) => {
      const { names, errors } = await repositories((_url, response) => json(response, document));
      expect([names, errors.unexpected]).toEqual([["answers something else than a list"], 1]);
    },
  );
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
