import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FindingKind } from "../../contract/finding.ts";
import type { ScanReport } from "../../contract/scan-report.ts";
import { attestation, digest, dockerList, image, index } from "../support/images/oci-content.ts";
import { regwardenProcess, withReport } from "../support/program.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { waitFor } from "../support/server/running.ts";
import { startPushgateway } from "../support/server/service.ts";

async function scan(directory: string, ...flags: string[]) {
  return withReport<ScanReport>(await regwardenProcess(["scan", directory, "--json", ...flags]));
}

/** The mode of each registry by its name. */
function modes({ registries }: ScanReport) {
  return Object.fromEntries(registries.map(({ name, mode }) => [name, mode]));
}

function ofKind(report: ScanReport, kind: FindingKind, repository?: string): ScanReport["findings"] {
  return report.findings.filter(
    (f) => f.kind === kind && (repository === undefined || f.repository === repository),
  );
}

const amd64 = image("amd64", "linux/amd64");
const arm64 = image("arm64", "linux/arm64/v8");

describe("a scan of a real store", () => {
  let registry: Registry;

  beforeEach(async () => {
    registry = await startRegistry();
  });
  afterEach(() => registry.dispose());

  /** A directory with a link to each registry's data. */
  async function dataRoot(registries: Readonly<Record<string, Registry>>): Promise<string> {
    const root = join(registry.directory, "../root");
    await mkdir(root);
    for (const [name, { directory }] of Object.entries(registries))
      await symlink(directory, join(root, name));
    return root;
  }

  test("finds nothing in a healthy store", async () => {
    await registry.push(amd64, "team/single", "1");
    await registry.push(index([amd64, arm64, attestation(amd64)]), "team/multi", "1");
    await registry.push(index([amd64, arm64], { saysMediaType: false }), "team", "1");

    const { exitCode, report } = await scan(registry.directory);

    expect(report.findings).toEqual([]);
    expect(exitCode).toBe(0);
    expect(report).toMatchObject({ schema: "regwarden/scan/v1", complete: true });
    // Per platform a configuration, a layer and a manifest; the attestation the same; two indexes.
    expect(report.registries).toEqual([
      {
        name: "data",
        mode: "authoritative",
        repositories: 3,
        tags: 3,
        indexes: 2,
        manifests: 1 + 4 + 3,
        layerLinks: 2 + 6 + 4,
        blobs: 3 + 3 + 3 + 2,
        bytes: expect.any(Number),
      },
    ]);
  });

  test("finds every child that a collection of untagged manifests took from a tagged index", async () => {
    const proof = attestation(amd64);
    const multi = index([amd64, arm64, proof]);
    await registry.push(multi, "app", "1");
    await registry.push(multi, "app", "latest");

    await registry.collectGarbage("-m");

    expect(await registry.manifestStatus("app", "1")).toBe(200);
    for (const child of [amd64, arm64, proof])
      expect(await registry.manifestStatus("app", digest(child))).toBe(404);
    const { exitCode, report } = await scan(registry.directory);
    expect(exitCode).toBe(1);
    expect(report.complete).toBe(true);
    const common = {
      kind: "index-child",
      cause: "link-missing",
      registry: "data",
      repository: "app",
      parent: digest(multi),
      tags: ["1", "latest"],
      // Their manifests survive, but nothing below: a link alone would bring back 200 and no image.
      remedy: "rebuild",
    };
    expect(ofKind(report, "index-child")).toMatchObject([
      { ...common, severity: "critical", digest: digest(amd64), platform: "linux/amd64" },
      { ...common, severity: "critical", digest: digest(arm64), platform: "linux/arm64/v8" },
      { ...common, severity: "warning", digest: digest(proof), platform: "unknown/unknown" },
    ]);
    // The children's configurations and layers went with them, their links stayed.
    const links = ofKind(report, "layer-link");
    expect(links).toHaveLength(6);
    for (const link of links)
      expect(link).toMatchObject({ cause: "blob-missing", severity: "warning", remedy: "remove-link" });
    expect(report.findings).toHaveLength(9);
    for (const { message } of ofKind(report, "index-child"))
      expect(message).toContain("2 of its 2 blobs are gone");
  });

  test("knows an index without a media type, and a Docker list", async () => {
    await registry.push(index([amd64, arm64], { saysMediaType: false }), "plain", "1");
    const children = [image("d1", "linux/amd64", "docker"), image("d2", "linux/arm64", "docker")];
    await registry.push(dockerList(children), "list", "1");

    await registry.collectGarbage("-m");

    const { report } = await scan(registry.directory);
    expect(ofKind(report, "index-child", "plain").map((f) => f.digest)).toEqual([
      digest(amd64),
      digest(arm64),
    ]);
    expect(ofKind(report, "index-child", "list").map((f) => f.digest)).toEqual(children.map(digest));
  });

  test("follows indexes of indexes, also through one that is lost itself", async () => {
    const inner = index([amd64]);
    const outer = index([inner, arm64]);
    await registry.push(inner, "nested", digest(inner));
    await registry.push(arm64, "nested", digest(arm64));
    await registry.pushManifest(outer, "nested", "1");
    expect((await scan(registry.directory)).report.findings).toEqual([]);

    await registry.collectGarbage("-m");

    const { report } = await scan(registry.directory);
    const found = ofKind(report, "index-child").map(({ digest, parent, tags, severity }) => ({
      digest,
      parent,
      tags,
      severity,
    }));
    expect(found).toHaveLength(3);
    const common = { tags: ["1"], severity: "critical" };
    expect(found).toContainEqual({ digest: digest(inner), parent: digest(outer), ...common });
    expect(found).toContainEqual({ digest: digest(amd64), parent: digest(inner), ...common });
    expect(found).toContainEqual({ digest: digest(arm64), parent: digest(outer), ...common });
  });

  test("reports a child that two repositories lost once for each of them", async () => {
    await registry.push(index([amd64]), "one", "1");
    await registry.push(index([amd64, arm64]), "two", "1");
    await registry.push(arm64, "two", "arm");

    await registry.collectGarbage("-m");

    const { report } = await scan(registry.directory);
    expect(ofKind(report, "index-child").map((f) => [f.repository, f.digest])).toEqual([
      ["one", digest(amd64)],
      ["two", digest(amd64)],
    ]);
  });

  test("says relink, and how, when all of the child survives because another tag holds it", async () => {
    const multi = index([amd64, arm64]);
    await registry.push(amd64, "keeper", "1");
    await registry.push(multi, "app", "1");
    await registry.push(arm64, "app", "arm");
    await registry.collectGarbage("-m");
    expect(await registry.manifestStatus("app", digest(amd64))).toBe(404);

    const { report } = await scan(registry.directory);

    expect(report.findings).toHaveLength(1);
    expect(report.findings[0]).toMatchObject({
      kind: "index-child",
      remedy: "relink",
      digest: digest(amd64),
    });
    const command = report.findings[0]?.hint.split("data directory: ")[1] ?? "";
    await promisify(execFile)("sh", ["-c", command], { cwd: registry.directory });
    expect(await registry.manifestStatus("app", digest(amd64))).toBe(200);
    await registry.pull("app", "1");
    expect((await scan(registry.directory)).exitCode).toBe(0);
  });

  test("says rebuild when the child's data, or only what it names, is gone as well", async () => {
    await registry.push(index([amd64, arm64]), "app", "1");
    await registry.collectGarbage("-m");
    const hex = digest(amd64).slice("sha256:".length);
    await rm(join(registry.directory, "docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex), {
      recursive: true,
    });

    const { report } = await scan(registry.directory);

    expect(ofKind(report, "index-child").map((f) => [f.digest, f.remedy])).toEqual([
      [digest(amd64), "rebuild"],
      [digest(arm64), "rebuild"],
    ]);
  });

  test("does not blame an ordinary collection, which loses nothing", async () => {
    await registry.push(index([amd64, arm64]), "app", "1");
    await registry.collectGarbage();
    expect((await scan(registry.directory)).exitCode).toBe(0);
  });

  test("leaves a cache's missing children alone, in a data root", async () => {
    await registry.push(index([amd64, arm64]), "app", "1");
    await registry.collectGarbage("-m");
    const root = await dataRoot({ dockerhub: registry, private: registry });
    await writeFile(join(root, "readme"), "");

    const { report } = await scan(root, "--cache", "dockerhub");

    expect(modes(report)).toEqual({ dockerhub: "cache", private: "authoritative" });
    expect(ofKind(report, "index-child").map((f) => f.registry)).toEqual(["private", "private"]);
    expect(
      ofKind(report, "layer-link")
        .map((f) => f.registry)
        .sort(),
    ).toEqual(Array.from({ length: 8 }, (_, i) => (i < 4 ? "dockerhub" : "private")));
    const other = await scan(root, "--cache", "private");
    expect(ofKind(other.report, "index-child").map((f) => f.registry)).toEqual(["dockerhub", "dockerhub"]);
  });

  test("checks every registry of a data root in full that is no cache, whatever its name", async () => {
    await registry.push(index([amd64, arm64]), "app", "1");
    await registry.collectGarbage("-m");
    const { exitCode, report } = await scan(await dataRoot({ prod: registry, staging: registry }));
    expect(exitCode).toBe(1);
    expect(modes(report)).toEqual({ prod: "authoritative", staging: "authoritative" });
    expect(ofKind(report, "index-child").map((f) => f.registry)).toEqual([
      "prod",
      "prod",
      "staging",
      "staging",
    ]);
  });

  test("knows a pull-through cache by the file that it keeps, or by --cache", async () => {
    await registry.push(index([amd64, arm64]), "app", "1");
    const cache = await startRegistry(undefined, { proxyOf: registry.url });
    try {
      await mkdir(cache.directory, { recursive: true });
      const root = await dataRoot({ private: registry, hub: cache });
      // One that was never asked has neither a store nor the file.
      expect(await readdir(cache.directory)).toEqual([]);
      const unused = await scan(root, "--cache", "hub");
      expect([unused.exitCode, modes(unused.report)]).toEqual([0, { private: "authoritative" }]);

      for (const reference of ["1", digest(amd64)])
        expect(await cache.manifestStatus("app", reference)).toBe(200);
      const state = join(cache.directory, "scheduler-state.json");
      await waitFor("the cache's file", 30, async () => existsSync(state));
      const used = await scan(root);
      expect(modes(used.report)).toEqual({ hub: "cache", private: "authoritative" });
      expect([used.exitCode, used.report.findings]).toEqual([0, []]);

      const overridden = await scan(root, "--authoritative", "hub");
      expect(overridden.exitCode).toBe(1);
      expect(ofKind(overridden.report, "index-child")).toMatchObject([{ digest: digest(arm64) }]);
      await rm(state);
      expect((await scan(root)).exitCode).toBe(1);
      expect((await scan(root, "--cache", "hub")).exitCode).toBe(0);
    } finally {
      await cache.dispose();
    }
  });

  test("puts its metrics into a real Pushgateway, and a push that fails is no success", async () => {
    const gateway = await startPushgateway();
    try {
      await registry.push(index([amd64, arm64]), "app", "1");
      await registry.collectGarbage("-m");
      const flags = ["--pushgateway", gateway.url, "--instance", "registry.example:5050"];
      expect((await scan(registry.directory, ...flags)).exitCode).toBe(1);
      const labels = 'instance="registry.example:5050",job="regwarden-scan",registry="data"';
      expect(await (await fetch(`${gateway.url}/metrics`)).text()).toContain(
        `regwarden_scan_findings{${labels},severity="critical"} 2\n`,
      );
    } finally {
      await gateway.stop();
    }
    const late = await scan(registry.directory, "--pushgateway", gateway.url);
    expect([late.exitCode, late.report.findings.length]).toEqual([3, 6]);
  });
});
