import { describe, expect, test } from "vitest";
import { httpRegistry } from "../../../../scripts/source/http/registry.ts";
import { account } from "../../../support/fake-registry.ts";
import { type Content, digest, image } from "../../../support/oci-content.ts";
import { tokenRegistry } from "../../../support/token-registry.ts";

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
