import { describe, expect, test } from "vitest";
import { fakeRegistry, json, probe } from "../../../../support/fake-registry.ts";
import { image } from "../../../../support/oci-content.ts";

const amd64 = image("amd64", "linux/amd64");

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
