import { describe, expect, test } from "vitest";
import { type Content, digest, image, index } from "../../../support/images/oci-content.ts";
import { at, fakeRegistry, json, probe, status } from "../../../support/registry/fake-registry.ts";
import { serve, stoppedServer } from "../../../support/server/server.ts";

const amd64 = image("amd64", "linux/amd64");
const arm64 = image("arm64", "linux/arm64");
const [, layer] = amd64.parts as [Content, Content];

describe("what could not be checked is neither fine nor broken", () => {
  test.each<[string, number, "unauthorised" | "unavailable" | "unexpected"]>([
    ["refused", 403, "unauthorised"],
    ["failing", 500, "unavailable"],
    ["too busy", 429, "unavailable"],
    ["redirecting", 307, "unexpected"],
    ["strange", 418, "unexpected"],
  ])("%s: %i", async (_what, code, kind) => {
    const registry = await fakeRegistry({ "app:1": amd64 }, at(`/blobs/${digest(layer)}`, status(code)));
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.complete, report.errors[kind]]).toEqual([3, false, 1]);
    expect(report.findings).toMatchObject([
      { kind: "layer", cause: "unreadable", severity: "warning", tags: ["1"] },
    ]);
    const times = registry.asked.filter((ask) => ask.includes(digest(layer))).length;
    expect(times).toBe(kind === "unavailable" ? 3 : 1);
  });

  test("a 404 that is a proxy's web page", async () => {
    const page = status(404, { "content-type": "text/html" });
    const registry = await fakeRegistry({ "app:1": amd64 }, at(digest(layer), page));
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.errors.unexpected]).toEqual([3, 1]);
  });

  test("a long blob without a length, a manifest that is none, a list that is none", async () => {
    const registry = await fakeRegistry(
      { "app:1": amd64, "b:1": index([arm64]), "c:1": arm64 },
      (request, response) => {
        if (request.url !== `/v2/app/blobs/${digest(layer)}`)
          return at("/c/tags/list", status(200))(request, response);
        response.writeHead(200, { "transfer-encoding": "chunked" }).end(Buffer.alloc(100_000));
        return true;
      },
    );
    registry.things.set(`/v2/b/manifests/${digest(arm64)}`, { body: Buffer.from("{}"), type: "x" });
    const { report } = await probe(registry.url);
    expect(report.errors.unexpected).toBe(2);
    expect(report.findings.map(({ repository, cause }) => [repository, cause])).toEqual([
      ["b", "digest-mismatch"],
      ["app", "unreadable"],
      ["c", "unreadable"],
    ]);
  });

  test("a wrong password", async () => {
    const registry = await fakeRegistry({ "app:1": amd64 });
    const { exitCode, report, stdout, stderr } = await probe(registry.url, [], { REG_PASS: "not this one" });
    expect([exitCode, report.catalogueAccessible, report.errors.unauthorised]).toEqual([3, false, 1]);
    expect(report.findings[0]?.hint).toContain("REG_USER and REG_PASS");
    expect(stdout + stderr).not.toContain("not this one");
  });

  test("no server there", async () => {
    const { exitCode, report } = await probe(await stoppedServer());
    expect([exitCode, report.complete, report.catalogueAccessible]).toEqual([3, false, false]);
    expect(report.errors).toEqual({ unauthorised: 0, unavailable: 2, unexpected: 0 });
    expect(report.authenticationRequired).toBeNull();
  });

  test("a registry that dies on the way is soon left alone", async () => {
    const images = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`app:${i}`, image(`${i}`, "linux/amd64")]),
    );
    const registry = await fakeRegistry(images, (request) => {
      if (/_catalog|tags/.test(request.url ?? "")) return undefined;
      request.socket.destroy();
      return true;
    });
    const { exitCode, report } = await probe(registry.url, ["--concurrency", "50"]);
    expect(exitCode).toBe(3);
    expect(report.findings).toHaveLength(200);
    expect(report.requests).toBe(registry.asked.length);
    expect(registry.asked.length).toBeLessThan(330);
    // What was not asked is no failed request.
    expect(report.errors.unavailable).toBeLessThan(110);
  });

  test("a registry that is there is asked for everything, whatever fails", async () => {
    const images = Object.fromEntries(
      Array.from({ length: 120 }, (_, i) => [`app:${i}`, image(`${i}`, "linux/amd64")]),
    );
    const registry = await fakeRegistry({ ...images, "b:1": amd64 }, (request, response) =>
      /app.manifests/.test(request.url ?? "") ? status(502)(request, response) : undefined,
    );
    const { exitCode, report } = await probe(registry.url, ["--concurrency", "100"]);
    expect([exitCode, report.errors.unavailable, report.tags]).toEqual([3, 120, 1]);
    expect(registry.asked).toContain(`GET /v2/b/blobs/${digest(layer)}`);
  });

  test("a registry that is silent for longer than it may be", async () => {
    const url = await serve(() => {});
    const start = performance.now();
    const { exitCode, report } = await probe(url, ["--timeout", "1"], { REG_USER: "", REG_PASS: "" });
    expect([exitCode, report.requests, report.errors.unavailable]).toEqual([3, 3, 1]);
    expect(report.findings[0]?.message).toContain("no answer in time");
    // Three tries, and what lies between them; with the usual limit it were 30 s.
    expect(performance.now() - start).toBeLessThan(15_000);
  }, 20_000);

  test("an empty registry without its sentinel is not clean", async () => {
    const registry = await fakeRegistry({});
    const { exitCode, report } = await probe(registry.url, ["--sentinel", "regwarden/sentinel"]);
    expect([exitCode, report.complete, report.sentinelPresent]).toEqual([3, false, false]);
    expect(report.problems[0]?.message).toContain(
      "The sentinel regwarden/sentinel is missing among the 0 repositories",
    );
  });

  test("an empty registry without a sentinel is not clean, as nothing was checked", async () => {
    const registry = await fakeRegistry({});
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.complete]).toEqual([3, false]);
    expect(report.problems).toMatchObject([
      {
        message: `${registry.url} lists no repositories: it is empty, or another registry answers there. Nothing was checked.`,
        hint: expect.stringContaining("--sentinel"),
      },
    ]);
  });

  test("repositories without any tag are nothing that was checked, unless another shard checks the rest", async () => {
    const registry = await fakeRegistry({ "app:1": amd64 }, (request, response) => {
      if (!request.url?.endsWith("/tags/list")) return undefined;
      json(response, { tags: null });
      return true;
    });
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.complete, report.repositories]).toEqual([3, false, 1]);
    expect(report.problems[0]?.message).toContain("no tag in any of its 1 repositories");
    const shard = await probe(registry.url, ["--shard", "0/1"]);
    expect(shard.exitCode).toBe(3);
    const parts = [];
    for (const part of ["0/2", "1/2"]) parts.push((await probe(registry.url, ["--shard", part])).exitCode);
    expect(parts).toEqual([0, 0]);
  });

  test("only what was answered counts as checked", async () => {
    const registry = await fakeRegistry(
      { "app:1": amd64, "app:2": amd64, "b:1": arm64 },
      (request, response) =>
        [at("/app/manifests/2", status(403)), at("/b/tags/list", status(403))].some((answer) =>
          answer(request, response),
        ),
    );
    const { report } = await probe(registry.url);
    expect(report).toMatchObject({ complete: false, repositories: 1, tags: 1 });
  });
});
