import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RepairReport } from "../../contract/repair-report.ts";
import { blobDataPath, linkDirectory, revisionsPath } from "../../scripts/registry/paths.ts";
import { attestation, type Content, dockerList, image, index } from "./oci-layout.ts";
import { type Registry, startRegistry } from "./registry.ts";

const program = join(import.meta.dirname, "../../scripts/main.ts");

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function regwarden(argv: readonly string[], environment: Record<string, string> = {}): Promise<Run> {
  const env = { ...process.env, DOCKER_CONFIG: "/nowhere", ...environment };
  return promisify(execFile)(process.execPath, [program, ...argv], { env }).then(
    (output) => ({ code: 0, ...output }),
    (error: Run) => error,
  );
}

async function repair(...argv: string[]): Promise<{ exitCode: number; report: RepairReport }> {
  const { code, stdout, stderr } = await regwarden(["repair", ...argv, "--json"]);
  expect(stderr).toBe("");
  return { exitCode: code, report: JSON.parse(stdout) as RepairReport };
}

/** Every file of a directory with its content, by its path. */
async function treeOf(directory: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return new Map(
    await Promise.all(files.map(async (path) => [path, await readFile(path, "latin1")] as const)),
  );
}

function blobPath({ directory }: Registry, content: Content): string {
  return blobDataPath(directory, content.descriptor.digest);
}

const digest = ({ descriptor }: Content) => descriptor.digest;
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
      { ...common, tag: "1", wholeAfterwards: true, changes: [0, 1] },
      { ...common, tag: "latest", wholeAfterwards: true, changes: [0, 1] },
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

  describe("with a healthy registry beside it", () => {
    let healthy: Registry;

    beforeEach(async () => {
      healthy = await startRegistry({ user: "ci", password: "secret-word" });
    });
    afterEach(() => healthy.dispose());

    const account = { FROM_USER: "ci", FROM_PASS: "secret-word" };

    test("copies configurations and layers that are gone, and the registry serves the image again", async () => {
      for (const one of [registry, healthy]) await one.push(multi, "team/app", "1");
      await registry.collectGarbage("-m");
      await expect(registry.pull("team/app", "1")).rejects.toThrow();

      const argv = ["repair", registry.directory, "--from", healthy.url, "--json"];
      const planned = await regwarden(argv, account);

      expect(planned.stderr).toBe("");
      expect(planned.code).toBe(1);
      const report = JSON.parse(planned.stdout) as RepairReport;
      expect(report.images).toMatchObject([{ tag: "1", remedy: "recopy", wholeAfterwards: true, next: [] }]);
      // Of both children the configuration, the layer and the link; the links to the blobs were never lost.
      expect(report.changes.map(({ kind, from }) => [kind, from])).toEqual([
        ["blob", healthy.url],
        ["blob", healthy.url],
        ["revision-link", null],
        ["blob", healthy.url],
        ["blob", healthy.url],
        ["revision-link", null],
      ]);

      const applied = await regwarden([...argv, "--apply"], account);

      expect(applied.stderr).toBe("");
      expect((JSON.parse(applied.stdout) as RepairReport).outcome).toEqual({
        made: 6,
        failures: [],
        left: [],
      });
      expect(applied.code).toBe(0);
      await registry.stop();
      await registry.start();
      await registry.pull("team/app", "1");
      expect(applied.stdout + planned.stdout).not.toContain("secret-word");
    });

    test("copies from another repository, and mends what is empty, cut short or altered", async () => {
      await registry.push(multi, "app", "1");
      await healthy.push(multi, "elsewhere/app", "other");
      const [config, layer] = amd64.parts;
      const [otherConfig, otherLayer] = arm64.parts;
      if (!config || !layer || !otherConfig || !otherLayer) throw new Error("an image has two parts");
      await writeFile(blobPath(registry, layer), "");
      await writeFile(blobPath(registry, config), config.bytes.slice(0, 10));
      await writeFile(
        blobPath(registry, otherLayer),
        otherLayer.bytes.map((byte) => byte ^ 1),
      );
      await writeFile(blobPath(registry, arm64), "");

      const from = ["--from", `${healthy.url}/elsewhere/app`];
      const argv = ["repair", registry.directory, ...from, "--apply", "--json"];
      const { code, stdout, stderr } = await regwarden(argv, account);

      expect(stderr).toBe("");
      const report = JSON.parse(stdout) as RepairReport;
      expect(report.changes.map(({ kind, digest, replaces }) => [kind, digest, replaces])).toEqual([
        ["blob", digest(config), expect.stringMatching(/^has 10 bytes instead of/)],
        ["blob", digest(layer), "is empty"],
        ["blob", digest(otherLayer), "has other bytes"],
        ["blob", digest(arm64), "is empty"],
      ]);
      expect(code).toBe(0);
      const kept = await treeOf(join(report.journal ?? "", "kept"));
      expect([...kept.values()].map(({ length }) => length).sort()).toEqual(
        [0, 0, 10, otherLayer.descriptor.size].sort(),
      );
      await registry.stop();
      await registry.start();
      await registry.pull("app", "1");
    });

    test.each([
      ["the password is wrong", { FROM_USER: "ci", FROM_PASS: "wrong-word" }, "FROM_USER and FROM_PASS"],
      ["it asks for an account and none is given", {}, "FROM_USER and FROM_PASS"],
    ])("writes nothing when %s", async (_, environment, advice) => {
      for (const one of [registry, healthy]) await one.push(multi, "app", "1");
      await registry.collectGarbage("-m");
      const before = await treeOf(registry.directory);

      const argv = ["repair", registry.directory, "--from", healthy.url, "--apply"];
      const { code, stderr } = await regwarden(argv, environment);

      expect(code).toBe(3);
      expect(stderr).toContain("Nothing was changed");
      expect(stderr).toContain(advice);
      expect(stderr).not.toContain("wrong-word");
      expect(await treeOf(registry.directory)).toEqual(before);
    });

    test("writes nothing when nobody answers at --from", async () => {
      for (const one of [registry, healthy]) await one.push(multi, "app", "1");
      await registry.collectGarbage("-m");
      await healthy.stop();
      const before = await treeOf(registry.directory);

      const argv = ["repair", registry.directory, "--from", healthy.url, "--apply"];
      const { code, stderr } = await regwarden(argv, account);

      expect(code).toBe(3);
      expect(stderr).toContain("ECONNREFUSED");
      expect(await treeOf(registry.directory)).toEqual(before);
    });

    test("refuses wrong bytes, writes no link to them, and goes on with other images", async () => {
      for (const one of [registry, healthy]) {
        await one.push(multi, "app", "1");
        await one.push(index([image("fine", "linux/amd64")]), "fine", "1");
      }
      await registry.collectGarbage("-m");
      const [, layer] = amd64.parts;
      if (!layer) throw new Error("an image has two parts");
      await writeFile(
        blobPath(healthy, layer),
        layer.bytes.map((byte) => byte ^ 1),
      );

      const argv = ["repair", registry.directory, "--from", healthy.url, "--apply", "--json"];
      const { code, stdout } = await regwarden(argv, account);

      expect(code).toBe(1);
      const { outcome } = JSON.parse(stdout) as RepairReport;
      expect(outcome?.made).toBe(6);
      expect(outcome?.failures).toHaveLength(1);
      expect(outcome?.failures[0]).toContain("gives other bytes than the digest stands for");
      await expect(stat(blobPath(registry, layer))).rejects.toThrow("ENOENT");
      expect(await registry.manifestStatus("app", digest(amd64))).toBe(404);
      expect(await registry.manifestStatus("app", digest(arm64))).toBe(200);
      await registry.pull("fine", "1");
    });
  });

  test("lists the command to type for an image that nobody has any more", async () => {
    await registry.push(multi, "app", "1");
    await registry.collectGarbage("-m");

    const argv = ["repair", registry.directory, "--instance", "registry.example:5050", "--apply"];
    const { code, stdout } = await regwarden(argv);

    expect(code).toBe(1);
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

      const { exitCode, report } = await repair(root, "--apply");

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
      expect(broken.code).toBe(1);

      const { exitCode, report } = await repair(registry.directory, "--from", healthy.url, "--apply");

      expect(report.outcome).toMatchObject({ failures: [], left: [] });
      expect(report.images.filter(({ wholeAfterwards }) => !wholeAfterwards)).toEqual([]);
      expect(exitCode).toBe(0);
      await registry.stop();
      await registry.start();
      for (const repository of ["oci", "plain", "docker"]) await registry.pull(repository, "1");
      for (const one of [outer, inner, amd64, arm64])
        expect(await registry.manifestStatus("nested", digest(one))).toBe(200);
      expect((await regwarden(["scan", registry.directory, "--verify-layers"])).code).toBe(0);
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
    expect((await regwarden(["scan", registry.directory])).code).toBe(0);
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
