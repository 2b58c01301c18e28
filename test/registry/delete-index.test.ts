import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { acceptAnyManifest } from "../../scripts/registry/media-types.ts";
import { scan } from "../support/commands.ts";
import { type Content, digest, image, index } from "../support/images/oci-content.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";

/** What docs/delete-a-broken-index.md says of deletions through the API, on the real registry. */

const amd64 = image("deleted amd64", "linux/amd64");
const arm64 = image("deleted arm64", "linux/arm64");
const broken = index([amd64, arm64]);
const other = index([amd64, image("deleted s390x", "linux/s390x")]);

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.dispose());

async function pushed(repository: string): Promise<void> {
  await registry.upload(broken, repository, "1");
  await registry.upload(broken, repository, "same");
  await registry.upload(other, repository, "other");
  await registry.upload(amd64, repository, "amd64-only");
}

async function remove(repository: string, reference: string): Promise<number> {
  const response = await fetch(`${registry.url}/v2/${repository}/manifests/${reference}`, {
    method: "DELETE",
  });
  await response.arrayBuffer();
  return response.status;
}

async function tags(repository: string): Promise<string[]> {
  const response = await fetch(`${registry.url}/v2/${repository}/tags/list`);
  const { tags } = (await response.json()) as { tags: string[] | null };
  return (tags ?? []).sort();
}

/** Digest of the manifest that a tag leads to, as the document finds it. */
async function digestOf(repository: string, tag: string): Promise<string | null> {
  const headers = { accept: acceptAnyManifest };
  const { headers: answer } = await fetch(`${registry.url}/v2/${repository}/manifests/${tag}`, {
    method: "HEAD",
    headers,
  });
  return answer.get("docker-content-digest");
}

const status = (repository: string, content: Content) => registry.manifestStatus(repository, digest(content));
const blobOf = (content: Content) =>
  join(
    registry.directory,
    "docker/registry/v2/blobs/sha256",
    digest(content).slice(7, 9),
    digest(content).slice(7),
  );
const linkOf = (repository: string, content: Content) =>
  join(
    registry.directory,
    "docker/registry/v2/repositories",
    repository,
    "_manifests/revisions/sha256",
    digest(content).slice(7),
  );

describe("an index that is deleted by its digest", () => {
  beforeAll(async () => {
    await pushed("a");
    await pushed("b");
    await rm(linkOf("a", arm64), { recursive: true });
  });

  test("is named by the answer to HEAD of its tag, also when a child is missing", async () => {
    expect(await digestOf("a", "1")).toBe(digest(broken));
  });

  test("cannot be deleted by its tag", async () => {
    expect(await remove("a", "1")).toBe(400);
  });

  test("takes with it every tag that leads to it, and no other", async () => {
    expect(await remove("a", digest(broken))).toBe(202);
    expect(await tags("a")).toEqual(["amd64-only", "other"]);
    expect(await status("a", broken)).toBe(404);
  });

  test("leaves its children, under their digests, their own tags and other indexes", async () => {
    expect(await status("a", amd64)).toBe(200);
    expect(await registry.manifestStatus("a", "amd64-only")).toBe(200);
    await registry.pull("a", "other");
  });

  test("stays in every other repository", async () => {
    expect(await tags("b")).toEqual(["1", "amd64-only", "other", "same"]);
    await registry.pull("b", "1");
  });

  test("frees no space, and leaves a store without a finding", async () => {
    expect(existsSync(blobOf(broken))).toBe(true);
    const { report } = await scan(registry.directory);
    expect(report.findings).toEqual([]);
  });

  test("is there again after the same push", async () => {
    await registry.upload(broken, "a", "1");
    await registry.pull("a", "1");
  });
});

describe("what cannot be deleted, or should not be", () => {
  test("a second deletion, and one of a digest that the repository does not have, is 404", async () => {
    await pushed("c");
    expect(await remove("c", digest(broken))).toBe(202);
    expect(await remove("c", digest(broken))).toBe(404);
  });

  test("an index whose own blob is gone answers 404 to its deletion, and its tags stay", async () => {
    await pushed("d");
    await rm(blobOf(broken), { recursive: true });
    const answer = await remove("d", digest(broken));
    expect([answer, await tags("d")]).toEqual([404, ["1", "amd64-only", "other", "same"]]);
  });

  test("a child that is deleted breaks every index above it, and its tags still answer 200", async () => {
    await pushed("e");
    expect(await remove("e", digest(amd64))).toBe(202);
    expect(await tags("e")).toEqual(["1", "other", "same"]);
    expect(await registry.manifestStatus("e", "1")).toBe(200);
    await expect(registry.pull("e", "1")).rejects.toThrow();
  });
});

test("a cache deletes nothing", async () => {
  await registry.upload(amd64, "library/cached", "1");
  const cache = await startRegistry(undefined, { proxyOf: registry.url });
  try {
    await cache.pull("library/cached", "1");
    const url = `${cache.url}/v2/library/cached/manifests/${digest(amd64)}`;
    expect((await fetch(url, { method: "DELETE" })).status).toBe(405);
  } finally {
    await cache.dispose();
  }
});
