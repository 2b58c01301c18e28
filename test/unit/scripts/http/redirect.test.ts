import { describe, expect, test } from "vitest";
import { createFollowingSend } from "../../../../scripts/http/redirect.ts";
import { type Content, digest, image } from "../../../support/images/oci-content.ts";
import { fakeRegistry, probe } from "../../../support/registry/fake-registry.ts";
import { sendRange } from "../../../support/registry/ranges.ts";
import { type Handler, serve } from "../../../support/server/server.ts";

const amd64 = image("amd64", "linux/amd64");
const [config, layer] = amd64.parts as [Content, Content];

/** A storage that answers by a function, and the accounts that were shown to it. */
async function storage(handler: Handler) {
  const shown: { method: string | undefined; authorization: string | undefined }[] = [];
  const url = await serve((request, response) => {
    shown.push({ method: request.method, authorization: request.headers.authorization });
    handler(request, response);
  });
  return { url, shown };
}

/** A registry whose layers lie elsewhere. */
const redirecting = (to: string, status = 307) =>
  fakeRegistry({ "app:1": amd64 }, ({ url = "", headers }, response) => {
    if (!url.endsWith(digest(layer)) || !headers.authorization) return undefined;
    response.writeHead(status, { location: to }).end();
    return true;
  });

const holds =
  (sizeBytes: number): Handler =>
  (request, response) =>
    sendRange(request, response, Buffer.alloc(sizeBytes));
const size = layer.bytes.byteLength;

describe("a registry that sends blobs on to a storage", () => {
  test.each([301, 302, 303, 307, 308])("is complete when the storage has them: %i", async (status) => {
    const store = await storage(holds(size));
    const { exitCode, report } = await probe((await redirecting(`${store.url}/b?signature=x`, status)).url);
    expect([exitCode, report.findings]).toEqual([0, []]);
    expect(store.shown).toEqual([{ method: "GET", authorization: undefined }]);
  });

  test("is broken when the storage has less, or nothing", async () => {
    const cut = await probe((await redirecting((await storage(holds(size - 1))).url)).url);
    expect(cut.report.findings).toMatchObject([
      { kind: "layer", cause: "size-mismatch", digest: digest(layer) },
    ]);
    const gone = await storage((_request, response) => void response.writeHead(404).end());
    const lost = await probe((await redirecting(gone.url)).url);
    expect(lost.report.findings).toMatchObject([{ kind: "layer", cause: "blob-missing" }]);
    expect([cut.exitCode, lost.exitCode]).toEqual([1, 1]);
  });

  test("keeps its account when it sends the asker on to itself", async () => {
    const registry = await redirecting(`/v2/app/blobs/${digest(config)}`);
    const { report } = await probe(registry.url);
    // Another blob than was asked for, of another length: only its owner could be asked for it.
    expect(report.findings).toMatchObject([{ kind: "layer", cause: "size-mismatch" }]);
  });

  test.each<[string, (store: string) => string, string]>([
    ["names the next without end", () => "/again", "more than 5 times"],
    ["names an address that is none", () => "ftp://elsewhere.example/x", "without TLS"],
  ])("that %s could not be checked", async (_what, target, reason) => {
    const registry = await fakeRegistry({ "app:1": amd64 }, ({ url = "", headers }, response) => {
      const isAsked = url === "/again" || url.endsWith(digest(layer));
      if (!isAsked || !headers.authorization) return undefined;
      response.writeHead(307, { location: target(url) }).end();
      return true;
    });
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.errors.unexpected]).toEqual([3, 1]);
    expect(report.findings[0]?.message).toContain(reason);
  });

  test.each([401, 403])(
    "whose storage answers %i is not asked with its account, and nothing is known",
    async (code) => {
      const challenge = { "www-authenticate": 'Bearer realm="https://elsewhere.example/token"' };
      const store = await storage((_request, response) => void response.writeHead(code, challenge).end());
      const { exitCode, report } = await probe((await redirecting(store.url)).url);
      expect([exitCode, report.errors]).toEqual([3, { unauthorised: 0, unavailable: 0, unexpected: 1 }]);
      expect(report.findings[0]?.message).toContain(`${store.url}, which answers ${code}`);
      expect(store.shown).toEqual([{ method: "GET", authorization: undefined }]);
    },
  );

  test("asks a storage that is busy again", async () => {
    let asked = 0;
    const store = await storage((request, response) => {
      asked += 1;
      if (asked < 3) response.writeHead(503, { "retry-after": "0" }).end();
      else holds(size)(request, response);
    });
    expect((await probe((await redirecting(store.url)).url)).exitCode).toBe(0);
    expect(asked).toBe(3);
  });

  test("over TLS is not followed to an address without", async () => {
    const asked: string[] = [];
    const send = createFollowingSend(async (url) => {
      asked.push(url);
      const get = (name: string) => (name === "location" ? "http://storage.example/b" : null);
      return { state: "answered", answer: { status: 307, headers: { get }, body: new Uint8Array() } };
    });
    expect(await send("https://r.example/b")).toMatchObject({
      state: "untrusted",
      reason: expect.stringContaining("without TLS"),
    });
    expect(asked).toEqual(["https://r.example/b"]);
  });
});
