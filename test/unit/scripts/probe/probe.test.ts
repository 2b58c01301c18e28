import { describe, expect, test } from "vitest";
import { attestation, type Content, digest, image, index } from "../../../support/images/oci-content.ts";
import { regwarden } from "../../../support/program.ts";
import {
  account,
  at,
  fakeRegistry,
  json,
  type Override,
  probe,
  sendThing,
  status,
} from "../../../support/registry/fake-registry.ts";
import { serve } from "../../../support/server/server.ts";

const amd64 = image("amd64", "linux/amd64");
const arm64 = image("arm64", "linux/arm64");
const [config, layer] = amd64.parts as [Content, Content];
const multi = index([amd64, arm64, attestation(amd64)]);

describe("a probe", () => {
  test("finds nothing in a healthy registry, asks for each digest once a repository, within its bound", async () => {
    const images = {
      "app:1": multi,
      "app:2": multi,
      "app:amd": amd64,
      "team/other:1": index([multi, amd64]),
    };
    const registry = await fakeRegistry(images);
    const { exitCode, report, stderr } = await probe(registry.url, [
      "--concurrency",
      "3",
      "--instance",
      "r:5050",
    ]);
    expect(stderr).toBe("");
    expect(report.findings).toEqual([]);
    expect(exitCode).toBe(0);
    expect(report).toMatchObject({
      schema: "regwarden/probe/v1",
      instance: "r:5050",
      complete: true,
      authenticationRequired: true,
      repositories: 2,
      tags: 4,
      indexes: 3,
      problems: [],
      requests: registry.asked.length,
    });
    expect(
      registry.asked.filter((ask) => registry.asked.indexOf(ask) !== registry.asked.lastIndexOf(ask)),
    ).toEqual([]);
    expect(registry.load.most).toBeLessThanOrEqual(3);
    expect(registry.load.most).toBeGreaterThan(1);
  });

  test.each<[string, string, Override, object]>([
    [
      "a child that answers 404",
      `/manifests/${digest(amd64)}`,
      status(404),
      { kind: "index-child", cause: "link-missing", parent: digest(multi) },
    ],
    [
      "a child without content",
      `/manifests/${digest(amd64)}`,
      status(200),
      { kind: "index-child", cause: "blob-empty" },
    ],
    [
      "a layer that answers 404",
      `/blobs/${digest(layer)}`,
      status(404),
      { kind: "layer", cause: "blob-missing", parent: digest(amd64) },
    ],
    [
      "a layer that the cache of a registry believes in",
      `/blobs/${digest(layer)}`,
      status(200, { "content-length": "0" }),
      { kind: "layer", cause: "blob-empty" },
    ],
    [
      "a configuration of the wrong length",
      `/blobs/${digest(config)}`,
      (_, response) => {
        response.writeHead(200, { "content-length": "1" }).end("x");
        return true;
      },
      { kind: "config", cause: "size-mismatch" },
    ],
  ])("finds %s, and what it breaks", async (_what, end, answer, expected) => {
    const registry = await fakeRegistry({ "app:1": multi, "app:2": multi }, at(end, answer));
    const { exitCode, report } = await probe(registry.url);
    expect(report.findings).toMatchObject([
      {
        ...expected,
        severity: "critical",
        repository: "app",
        tags: ["1", "2"],
        platform: "linux/amd64",
        remedy: "rebuild",
      },
    ]);
    expect(report.findings[0]?.message).toMatch(/Tags 1, 2 cannot be pulled for linux\/amd64\.$/);
    expect(report.findings[0]?.hint).toMatch(/docker buildx build/);
    expect([exitCode, report.complete]).toEqual([1, true]);
  });

  test("finds other bytes than the digest stands for", async () => {
    const registry = await fakeRegistry({ "app:1": index([amd64]) });
    registry.things.set(`/v2/app/manifests/${digest(amd64)}`, { body: arm64.bytes, type: "x" });
    const { report } = await probe(registry.url);
    expect(report.findings).toMatchObject([{ kind: "index-child", cause: "digest-mismatch", tags: ["1"] }]);
  });

  test("only warns of a missing attestation, and finds a tag that is listed and not served", async () => {
    const lost = digest(attestation(amd64));
    const gone = at("/manifests/2", status(404));
    const registry = await fakeRegistry(
      { "app:1": multi, "app:2": amd64 },
      (request, response) => gone(request, response) || at(lost, status(404))(request, response),
    );
    const { report } = await probe(registry.url);
    expect(report.findings).toMatchObject([
      { kind: "tag", severity: "critical", tags: ["2"] },
      {
        kind: "index-child",
        severity: "warning",
        digest: lost,
        message: expect.stringContaining("but not an attestation"),
      },
    ]);
  });

  test("takes nothing for broken that was removed meanwhile", async () => {
    let lists = 0;
    const registry = await fakeRegistry({ "app:1": amd64 }, (request, response) => {
      if (request.url?.endsWith("/tags/list") && lists++ > 0) {
        json(response, { tags: null });
        return true;
      }
      return at("/manifests/1", status(404))(request, response);
    });
    expect((await probe(registry.url)).report).toMatchObject({ findings: [], complete: true });
    expect(lists).toBe(2);
  });

  test("asks again for what seems broken, and for no healthy tag beside it", async () => {
    const images = { "app:1": multi, "app:2": amd64, "app:3": amd64, "app:4": arm64 };
    const registry = await fakeRegistry(images, at("/manifests/2", status(404)));
    const { report } = await probe(registry.url);
    expect(report.findings).toMatchObject([{ kind: "tag", tags: ["2"] }]);
    const timesAsked = (tag: number) =>
      registry.asked.filter((ask) => ask.endsWith(`/app/manifests/${tag}`)).length;
    expect([1, 2, 3, 4].map(timesAsked)).toEqual([1, 2, 1, 1]);
  });

  test("follows indexes of indexes", async () => {
    const registry = await fakeRegistry({ "app:1": index([index([amd64])]) });
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.indexes]).toEqual([0, 2]);
  });

  test("checks one shard's repositories only, and all shards together each once", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `repo${i}`);
    const registry = await fakeRegistry(Object.fromEntries(names.map((name) => [`${name}:1`, amd64])));
    const parts = [];
    for (const shard of ["0/3", "1/3", "2/3"])
      parts.push((await probe(registry.url, ["--shard", shard])).report);
    expect(parts.reduce((sum, { repositories }) => sum + repositories, 0)).toBe(12);
    expect(registry.asked.filter((ask) => ask.endsWith("/tags/list")).sort()).toEqual(
      names.map((name) => `GET /v2/${name}/tags/list`).sort(),
    );
    expect(parts[1]?.shard).toEqual({ index: 1, count: 3 });
  });
});

describe("a registry that lets in a client without an account", () => {
  /** Holds one image, for any client. */
  const openRegistry = async () => {
    const { things } = await fakeRegistry({ "app:1": amd64 });
    return serve((request, response) => {
      const { url = "" } = request;
      const thing = things.get(url);
      if (url.includes("_catalog")) json(response, { repositories: ["app"] });
      else if (url.endsWith("/tags/list")) json(response, { tags: ["1"] });
      else if (thing) sendThing(request, response, thing);
      else json(response, {}, url === "/v2/" ? 200 : 404);
    });
  };

  test("is reported as a problem", async () => {
    const { exitCode, report } = await probe(await openRegistry());
    expect([exitCode, report.complete, report.authenticationRequired]).toEqual([1, true, false]);
    expect(report.problems[0]?.message).toContain("without an account");
  });

  test("is what was asked for without an account", async () => {
    const { exitCode, report } = await probe(await openRegistry(), [], { REG_USER: "", REG_PASS: "" });
    expect([exitCode, report.authenticationRequired]).toEqual([0, null]);
  });
});

test("people read what is broken, and a hint", async () => {
  const registry = await fakeRegistry({ "app:1": multi }, at(`/manifests/${digest(arm64)}`, status(404)));
  await probe(registry.url);
  const { stdout } = await regwarden(["probe", "--url", registry.url, "--instance", "r.example:5050"]);
  expect(stdout).toContain("r.example:5050: 1 repository, 1 tag, 1 index; ");
  expect(stdout).toContain("  critical  index-child, link-missing (1)");
  expect(stdout).toContain("\n      hint: on the registry's machine");
  expect(stdout).toContain("1 broken, 1 of them critical.\n");
  expect(stdout).not.toContain(account.password);
});
