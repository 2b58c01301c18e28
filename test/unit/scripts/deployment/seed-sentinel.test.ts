import { describe, expect, test } from "vitest";
import { seedSentinel } from "../../../../scripts/deployment/seed-sentinel/seed.ts";
import { sentinel } from "../../../../scripts/deployment/sentinel.ts";
import { createClient } from "../../../../scripts/http/client.ts";
import { type Handler, serve, stoppedServer } from "../../../support/server/server.ts";

const account = { user: "ci", password: "secret" };
const tag = { repository: "regwarden/sentinel", tag: "1" };

async function seed(url: string, patienceSeconds = 0, note: (text: string) => void = () => {}) {
  const send = createClient({ patienceSeconds, note });
  return seedSentinel({ url, user: "ci", sentinel: tag }, account, send);
}

/** An empty registry that takes everything; `location` is where it wants uploads. */
function emptyRegistry(location: string, requests: string[] = []): Handler {
  return (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume();
    if (request.method === "HEAD") return void response.writeHead(404).end();
    if (request.method === "POST") return void response.writeHead(202, { location }).end();
    response.writeHead(201).end();
  };
}

describe("the sentinel", () => {
  test("never changes: deployed registries hold it", () => {
    expect(sentinel.digest).toMatchInlineSnapshot(
      `"sha256:a2d84dd71cf12a902e8ea20fc4dea5f5edd539f9384762b47e11952895529e5b"`,
    );
    expect(sentinel.blobs).toHaveLength(2);
  });

  test("is pushed with its blobs first, to wherever the registry wants uploads", async () => {
    const requests: string[] = [];
    const url = await serve(emptyRegistry("/v2/regwarden/sentinel/blobs/uploads/1?_state=x", requests));
    expect(await seed(url)).toContain("was pushed");
    expect(requests.filter((line) => line.startsWith("PUT"))).toEqual([
      ...sentinel.blobs.map(
        ({ digest }) =>
          `PUT /v2/regwarden/sentinel/blobs/uploads/1?_state=x&digest=${encodeURIComponent(digest)}`,
      ),
      "PUT /v2/regwarden/sentinel/manifests/1",
    ]);
  });

  test("is known by its bytes where the registry does not send the digest", async () => {
    const url = await serve((_request, response) => void response.end(sentinel.manifest));
    expect(await seed(url)).toContain("is there already");
  });

  test("never goes to another server than the registry, as the password would go there too", async () => {
    const url = await serve(emptyRegistry("http://elsewhere.example/upload"));
    await expect(seed(url)).rejects.toMatchObject({
      code: "E_REGISTRY_ANSWER",
      message: expect.stringContaining("sends uploads to http://elsewhere.example"),
    });
  });

  test("does not hide that the registry does not answer", async () => {
    await expect(seed(await stoppedServer())).rejects.toMatchObject({
      code: "E_REGISTRY_UNREACHABLE",
      exitCode: 3,
    });
  });

  test("waits for a service that is just starting, and says so once", async () => {
    const notes: string[] = [];
    let requests = 0;
    const url = await serve((_request, response) => {
      requests += 1;
      response.writeHead(requests < 3 ? 502 : 200, { "docker-content-digest": sentinel.digest }).end();
    });
    expect(await seed(url, 30, (text) => notes.push(text))).toContain("is there already");
    expect(notes).toEqual([`${url}: answers 502; waiting up to 30 s for it.`]);
  });
});
