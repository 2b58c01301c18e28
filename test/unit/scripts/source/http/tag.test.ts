import { describe, expect, test } from "vitest";
import { digestOf } from "../../../../../scripts/registry/digest.ts";
import { collect } from "../../../../../scripts/source/bounded.ts";
import { httpRegistry } from "../../../../../scripts/source/http/registry.ts";
import { digest, image } from "../../../../support/images/oci-content.ts";
import { json } from "../../../../support/registry/fake-registry.ts";
import { type Handler, serve } from "../../../../support/server/server.ts";

const amd64 = image("amd64", "linux/amd64");
const arm64 = image("arm64", "linux/arm64");
const parsed = { state: "parsed", sizeBytes: amd64.bytes.byteLength };

/** Asks a server for a tag, and how often it was asked. */
async function tagOf(handler: Handler) {
  let requests = 0;
  const origin = await serve((request, response) => {
    requests += 1;
    handler(request, response);
  });
  const source = httpRegistry({ name: "r", origin, account: undefined, concurrency: 1 });
  return { ...(await source.tag("app", "1")), requests, errors: source.tally().errors };
}

/** Gives bytes, with the digest that is said of them. */
const gives =
  (bytes: Uint8Array, named?: string, type = "application/json"): Handler =>
  (_request, response) => {
    if (named !== undefined) response.setHeader("docker-content-digest", named);
    response.writeHead(200, { "content-type": type }).end(bytes);
  };

describe("a tag", () => {
  test("is asked for once, for its digest and its manifest", async () => {
    const { link, manifest, requests } = await tagOf(gives(amd64.bytes, digest(amd64)));
    expect(link).toEqual({ state: "linked", digest: digest(amd64) });
    expect(manifest).toMatchObject(parsed);
    expect(requests).toBe(1);
  });

  test("leads where its content says, of a registry that names no digest", async () => {
    const { link, manifest } = await tagOf(gives(amd64.bytes));
    expect(link).toEqual({ state: "linked", digest: digest(amd64) });
    expect(manifest).toMatchObject(parsed);
  });

  test("leads to what the registry names, whatever it gives instead", async () => {
    const { link, manifest } = await tagOf(gives(arm64.bytes, digest(amd64)));
    expect(link).toEqual({ state: "linked", digest: digest(amd64) });
    expect(manifest).toEqual({ state: "altered" });
  });

  test("is taken at its word where the manifest is signed, as its digest leaves the signatures out", async () => {
    const signed = Buffer.from('{"schemaVersion":1,"fsLayers":[],"signatures":[]}');
    const type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    const { link, manifest } = await tagOf(gives(signed, digest(amd64), type));
    expect(link).toEqual({ state: "linked", digest: digest(amd64) });
    expect(manifest).toMatchObject({ state: "parsed" });
  });

  test("with a digest that is none could not be checked", async () => {
    const { link, errors } = await tagOf(gives(amd64.bytes, "sha256:0"));
    expect(link).toMatchObject({ state: "unreadable", kind: "unexpected" });
    expect(errors.unexpected).toBe(1);
  });

  test.each([
    ["nothing of", 0, { state: "missing", isPromised: true }],
    ["a part of", 10, { state: "altered" }],
  ])("whose answer breaks off each time, after %s its manifest, has none", async (_what, count, expected) => {
    const { link, manifest, requests, errors } = await tagOf((_request, response) => {
      response.writeHead(200, { "docker-content-digest": digest(amd64), "content-length": 100 });
      response.flushHeaders();
      response.write(amd64.bytes.subarray(0, count), () => setTimeout(() => response.destroy(), 20));
    });
    expect(link).toEqual({ state: "linked", digest: digest(amd64) });
    expect(manifest).toEqual(expected);
    expect([requests, errors.unavailable]).toEqual([3, 0]);
  });

  test.each([
    ["an empty link", {}, { state: "invalid", reason: "answers 500, as for a link that is no digest" }],
    [
      "a broken manifest",
      { Offset: 7 },
      { state: "invalid", reason: expect.stringContaining("is no manifest") },
    ],
    ["a failing disk", { DriverName: "filesystem" }, { state: "unreadable", kind: "unavailable" }],
  ])("with %s", async (_what, detail, expected) => {
    const document = { errors: [{ code: "UNKNOWN", message: "unknown error", detail }] };
    const { link, manifest } = await tagOf((_request, response) => json(response, document, 500));
    expect([link, manifest]).toMatchObject([expected, undefined]);
  });
});

test("tags that lead to one manifest bring the same object", async () => {
  const origin = await serve((request, response) => {
    if (request.url?.endsWith("/tags/list")) json(response, { tags: ["1", "2", "3"] });
    else gives(request.url?.endsWith("/3") ? arm64.bytes : amd64.bytes)(request, response);
  });
  const source = httpRegistry({ name: "r", origin, account: undefined, concurrency: 4 });
  const [first, second, third] = await collect(source.tags("app"));
  expect(first?.manifest).toBe(second?.manifest);
  expect(third?.link).toEqual({ state: "linked", digest: digestOf(arm64.bytes) });
});
