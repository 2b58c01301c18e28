import { describe, expect, test } from "vitest";
import { httpRegistry } from "../../../../scripts/source/http/registry.ts";
import { type Content, digest, image } from "../../../support/images/oci-content.ts";
import { account, json, probe } from "../../../support/registry/fake-registry.ts";
import { tokenRegistry } from "../../../support/registry/token-registry.ts";
import { serve } from "../../../support/server/server.ts";

const content = image("amd64", "linux/amd64");
const [, layer] = content.parts as [Content, Content];
const present = { state: "present", sizeBytes: layer.bytes.byteLength };
const images = { "a:1": content, "b:1": content };

describe("a token", () => {
  test("that expired is fetched once for all requests that come back with it", async () => {
    const registry = await tokenRegistry(images);
    const source = httpRegistry({ name: "r", origin: registry.url, account, concurrency: 16 });
    expect(await source.blob("a", digest(layer))).toEqual(present);
    for (const round of [2, 3]) {
      registry.expire();
      const all = Array.from({ length: 16 }, () => source.blob("a", digest(layer)));
      expect(new Set((await Promise.all(all)).map(({ state }) => state))).toEqual(new Set(["present"]));
      expect(registry.issued).toHaveLength(round);
    }
  });

  test("that could not be had for a while is asked for again by the next question", async () => {
    let failures = 0;
    const registry = await tokenRegistry(images, {
      refuse: (response) => {
        failures += 1;
        if (failures > 3) return false;
        response.writeHead(503).end();
        return true;
      },
    });
    const source = httpRegistry({ name: "r", origin: registry.url, account, concurrency: 16 });
    expect(await source.blob("a", digest(layer))).toMatchObject({ state: "unreadable", kind: "unavailable" });
    expect(await source.blob("a", digest(layer))).toEqual(present);
    expect(source.tally().errors).toEqual({ unauthorised: 0, unavailable: 1, unexpected: 0 });
  });

  test("that is refused for the account's sake is not asked for again, as too many tries lock an account", async () => {
    const registry = await tokenRegistry(images);
    const wrong = { user: account.user, password: "wrong" };
    const source = httpRegistry({ name: "r", origin: registry.url, account: wrong, concurrency: 16 });
    for (const _ of [1, 2])
      expect(await source.blob("a", digest(layer))).toMatchObject({ kind: "unauthorised" });
    expect(registry.asked.filter((ask) => ask.startsWith("GET /token"))).toHaveLength(1);
  });
});

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
