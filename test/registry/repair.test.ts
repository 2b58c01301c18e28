import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { linkDirectory, revisionsPath } from "../../scripts/registry/paths.ts";
import { repair } from "../support/commands.ts";
import { attestation, digest, dockerList, image, index } from "../support/images/oci-content.ts";
import { regwarden } from "../support/program.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";

const amd64 = image("amd64", "linux/amd64");
const arm64 = image("arm64", "linux/arm64/v8");
const multi = index([amd64, arm64]);

describe("a repair of a real store", () => {
  let registry: Registry;

  beforeEach(async () => {
    registry = await startRegistry();
  });
  afterEach(() => registry.dispose());

  test("relinks children whose data another repository kept, and the registry serves the image again", async () => {
    await registry.push(amd64, "keeper", "amd");
    await registry.push(arm64, "keeper", "arm");
    await registry.push(multi, "app", "1");
    await registry.push(multi, "app", "latest");
    await registry.collectGarbage("-m");
    await expect(registry.pull("app", "1")).rejects.toThrow();

    const planned = await repair(registry.directory);

    expect(planned.exitCode).toBe(1);
    expect(planned.report).toMatchObject({ complete: true, journal: null, outcome: null });
    const common = { registry: "data", repository: "app", digest: digest(multi), remedy: "relink" };
    expect(planned.report.images).toMatchObject([
      { ...common, tag: "1", completeAfterwards: true, changes: [0, 1] },
      { ...common, tag: "latest", completeAfterwards: true, changes: [0, 1] },
    ]);
    expect(planned.report.changes.map(({ kind, digest }) => [kind, digest])).toEqual([
      ["revision-link", digest(amd64)],
      ["revision-link", digest(arm64)],
    ]);
    expect(await registry.manifestStatus("app", digest(amd64))).toBe(404);

    const applied = await repair(registry.directory, "--apply");

    expect(applied.exitCode).toBe(0);
    expect(applied.report.outcome).toEqual({ made: 2, failures: [], left: [] });
    await registry.pull("app", "1");
    await registry.pull("app", "latest");
    const again = await repair(registry.directory, "--apply");
    expect(again).toMatchObject({ exitCode: 0, report: { images: [], changes: [], journal: null } });
  });

  test("lists the command to type for an image that no registry has any more", async () => {
    await registry.push(multi, "app", "1");
    await registry.collectGarbage("-m");

    const argv = ["repair", registry.directory, "--instance", "registry.example:5050", "--apply"];
    const { exitCode, stdout } = await regwarden(argv);

    expect(exitCode).toBe(1);
    expect(stdout).toContain(
      "docker buildx build --push --platform linux/amd64,linux/arm64/v8 --tag registry.example:5050/app:1 .",
    );
    expect(stdout).toContain("Nothing to do");
  });

  test("copies from a cache of the same data root", async () => {
    const cache = await startRegistry();
    try {
      for (const one of [registry, cache]) await one.push(multi, "app", "1");
      await registry.collectGarbage("-m");
      const root = join(registry.directory, "../root");
      await mkdir(root);
      await symlink(registry.directory, join(root, "private"));
      await symlink(cache.directory, join(root, "dockerhub"));

      const { exitCode, report } = await repair(root, "--apply", "--cache", "dockerhub");

      expect(report.changes.flatMap(({ from }) => (from === null ? [] : [from]))).toEqual(
        Array(4).fill("dockerhub"),
      );
      expect(exitCode).toBe(0);
      await registry.pull("app", "1");
    } finally {
      await cache.dispose();
    }
  });

  test("heals the whole incident: OCI and Docker indexes, nested ones, attestations and signatures", async () => {
    const healthy = await startRegistry();
    try {
      const proof = attestation(amd64);
      const children = [image("d1", "linux/amd64", "docker"), image("d2", "linux/arm64", "docker")];
      const inner = index([amd64]);
      const outer = index([inner, arm64]);
      const signature = index([attestation(arm64)]);
      for (const one of [registry, healthy]) {
        await one.push(index([amd64, arm64, proof]), "oci", "1");
        await one.push(index([amd64, arm64], { saysMediaType: false }), "plain", "1");
        await one.push(dockerList(children), "docker", "1");
        await one.push(inner, "nested", digest(inner));
        await one.push(arm64, "nested", digest(arm64));
        await one.pushManifest(outer, "nested", "1");
        await one.push(signature, "oci", `sha256-${digest(amd64).slice("sha256:".length)}`);
      }
      await registry.collectGarbage("-m");
      const broken = await regwarden(["scan", registry.directory]);
      expect(broken.exitCode).toBe(1);

      const { exitCode, report } = await repair(registry.directory, "--from", healthy.url, "--apply");

      expect(report.outcome).toMatchObject({ failures: [], left: [] });
      expect(report.images.filter(({ completeAfterwards }) => !completeAfterwards)).toEqual([]);
      expect(exitCode).toBe(0);
      await registry.stop();
      await registry.start();
      for (const repository of ["oci", "plain", "docker"]) await registry.pull(repository, "1");
      for (const one of [outer, inner, amd64, arm64])
        expect(await registry.manifestStatus("nested", digest(one))).toBe(200);
      expect((await regwarden(["scan", registry.directory, "--verify-layers"])).exitCode).toBe(0);
    } finally {
      await healthy.dispose();
    }
  });

  test("survives the next collection: what was relinked is kept as anything that was pushed", async () => {
    await registry.push(amd64, "keeper", "amd");
    await registry.push(arm64, "keeper", "arm");
    await registry.push(multi, "app", "1");
    await registry.collectGarbage("-m");
    expect((await repair(registry.directory, "--apply")).exitCode).toBe(0);

    await registry.collectGarbage();

    await registry.pull("app", "1");
    expect((await regwarden(["scan", registry.directory])).exitCode).toBe(0);
  });

  test("lets the registry serve at once what was only relinked, without a restart", async () => {
    await registry.push(multi, "app", "1");
    const link = join(linkDirectory(revisionsPath(registry.directory, "app"), digest(amd64)), "link");
    await rm(link);
    expect(await registry.manifestStatus("app", digest(amd64))).toBe(404);

    expect((await repair(registry.directory, "--apply")).exitCode).toBe(0);

    expect(await registry.manifestStatus("app", digest(amd64))).toBe(200);
    await registry.pull("app", "1");
  });
});
