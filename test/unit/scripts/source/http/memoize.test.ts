import { expect, test } from "vitest";
import { memoize } from "../../../../../scripts/source/http/memoize.ts";
import { httpRegistry } from "../../../../../scripts/source/http/registry.ts";
import { type Content, digest, image } from "../../../../support/images/oci-content.ts";
import { account, fakeRegistry } from "../../../../support/registry/fake-registry.ts";

test("a registry is asked once for what many images share, and not at all for what came with a tag", async () => {
  const amd64 = image("amd64", "linux/amd64");
  const [, layer] = amd64.parts as [Content, Content];
  const registry = await fakeRegistry({ "app:1": amd64, "other:1": amd64 });
  const source = memoize(httpRegistry({ name: "r", origin: registry.url, account, concurrency: 4 }));
  await source.asksForAccount();
  const before = registry.asked.length;
  for (const _ of [1, 2]) {
    expect(await source.tag("app", "1")).toMatchObject({ link: { digest: digest(amd64) } });
    expect(await source.manifest("app", digest(amd64))).toMatchObject({ state: "parsed" });
    expect(await source.blob("app", digest(layer))).toMatchObject({ state: "present" });
    expect(await source.blob("other", digest(layer))).toMatchObject({ state: "present" });
  }
  expect(registry.asked.slice(before)).toEqual([
    "GET /v2/app/manifests/1",
    `GET /v2/app/blobs/${digest(layer)}`,
    `GET /v2/other/blobs/${digest(layer)}`,
  ]);
});
