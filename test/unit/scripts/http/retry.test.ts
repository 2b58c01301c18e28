import { describe, expect, test } from "vitest";
import { image } from "../../../support/images/oci-content.ts";
import { fakeRegistry, probe } from "../../../support/registry/fake-registry.ts";

describe("a server that is busy", () => {
  const busy = (times: number, retryAfter: string) => {
    let answers = 0;
    return fakeRegistry({ "a:1": image("amd64", "linux/amd64") }, ({ url = "", headers }, response) => {
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
