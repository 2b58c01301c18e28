import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { docker } from "../../lab/machine/docker-client.ts";
import { ensureEngine } from "../../lab/machine/docker-engine.ts";
import { run } from "../../lab/machine/run.ts";
import { probeRegistry } from "../../scripts/probe/probe-registry.ts";
import { discoverRegistries } from "../../scripts/source/disk/registry.ts";
import { httpRegistry } from "../../scripts/source/http/registry.ts";
import { scanRegistry } from "../../scripts/store-check/scan-registry.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";

/** Docker's own client and engine, which skopeo is not: schema 2 manifests, layers that are mounted from one another. */
describe("what docker push writes", () => {
  let registry: Registry;
  let scratch: string;
  let name: string;
  beforeAll(async () => {
    // Brings the packages too.
    registry = await startRegistry();
    await ensureEngine();
    scratch = await mkdtemp(join(tmpdir(), "regwarden-docker-push-"));
    name = `${new URL(registry.url).host}/team/app`;
    await writeFile(join(scratch, "file"), `made for ${name}`);
    const archive = join(scratch, "image.tar");
    await run(["tar", "-C", scratch, "-cf", archive, "file"], { quiet: true });
    await docker(["import", archive, `${name}:1`], { quiet: true });
    for (const tag of [`${name}:latest`, `${name}-copy:1`]) await docker(["tag", `${name}:1`, tag]);
    for (const tag of [`${name}:1`, `${name}:latest`, `${name}-copy:1`])
      await docker(["push", tag], { quiet: true });
  });
  afterAll(async () => {
    await docker(["rmi", "--force", `${name}:1`, `${name}:latest`, `${name}-copy:1`], { quiet: true });
    await registry.dispose();
    await rm(scratch, { recursive: true, force: true });
  });

  test("is sound for the scan", async () => {
    const [source] = (await discoverRegistries(registry.directory)).sources;
    if (!source) throw new Error("no store");
    const { findings, summary } = await scanRegistry(source, "authoritative", () => {});
    expect(findings).toEqual([]);
    expect(summary).toMatchObject({ repositories: 2, tags: 3, manifests: 2, indexes: 0 });
  });

  test("is sound for the probe", async () => {
    const source = httpRegistry({ name: "docker", origin: registry.url, account: undefined, concurrency: 8 });
    const options = { concurrency: 8, sentinel: undefined, shard: undefined, onProgress: () => {} };
    const { findings, repositories, tags } = await probeRegistry(source, options);
    expect(findings).toEqual([]);
    expect({ repositories, tags }).toEqual({ repositories: 2, tags: 3 });
  });
});
