import { rm, truncate } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ProbeReport } from "../../contract/probe-report.ts";
import { blobDataPath, tagLinkPath } from "../../scripts/registry/paths.ts";
import { attestation, digest, dockerList, image, index } from "../support/images/oci-content.ts";
import { regwardenProcess, withReport } from "../support/program.ts";
import { startNginx } from "../support/registry/nginx.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { startTlsProxy } from "../support/registry/tls-proxy.ts";
import { upload } from "../support/registry/upload.ts";
import { startPushgateway } from "../support/server/service.ts";

const login = { user: "ci", password: "correct horse" };

async function probe(
  url: string,
  flags: readonly string[] = [],
  environment: Readonly<Record<string, string>> = { REG_USER: login.user, REG_PASS: login.password },
) {
  const argv = ["probe", "--url", url, "--json", ...flags];
  return withReport<ProbeReport>(await regwardenProcess(argv, environment));
}

const amd64 = image("amd64", "linux/amd64");
const arm64 = image("arm64", "linux/arm64/v8");
const attested = attestation(amd64);
const multi = index([amd64, arm64, attested]);
const docker = image("docker", "linux/amd64", "docker");

describe("a probe of a real registry", () => {
  let registry: Registry;

  beforeEach(async () => {
    registry = await startRegistry(login);
  });
  afterEach(() => registry.dispose());

  /** Two repositories: single images, an index with an attestation, a Docker list, and an index of indexes. */
  async function fill(): Promise<void> {
    await registry.push(amd64, "team/app", "single");
    await registry.push(multi, "team/app", "1");
    await registry.push(dockerList([docker]), "team/app", "docker");
    await registry.push(multi, "nested", "inner");
    await registry.pushManifest(index([multi]), "nested", "outer");
  }

  test("finds nothing where nothing is missing", async () => {
    await fill();
    const { exitCode, report, stderr } = await probe(registry.url, ["--sentinel", "nested"]);
    expect(stderr).toBe("");
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({
      complete: true,
      catalogueAccessible: true,
      authenticationRequired: true,
      sentinelPresent: true,
      repositories: 2,
      tags: 5,
      indexes: 4,
    });
    expect(exitCode).toBe(0);
  });

  test("finds every child that the collection of untagged manifests took, with all tags", async () => {
    await fill();
    await registry.collectGarbage("-m");
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.complete]).toEqual([1, true]);
    const lost = report.findings.map((f) => [f.repository, f.kind, f.severity, f.digest, f.tags.join()]);
    const child = "index-child";
    expect(lost.sort()).toEqual(
      [
        ["nested", child, "critical", digest(amd64), "inner,outer"],
        ["nested", child, "critical", digest(arm64), "inner,outer"],
        ["nested", child, "warning", digest(attested), "inner,outer"],
        ["team/app", child, "critical", digest(arm64), "1"],
        ["team/app", child, "warning", digest(attested), "1"],
        ["team/app", child, "critical", digest(docker), "docker"],
      ].sort(),
    );
  });

  test("could not check with a wrong password, or a registry that is down, which is no damage", async () => {
    await fill();
    const wrong = await probe(registry.url, [], { REG_USER: login.user, REG_PASS: "wrong" });
    expect([wrong.exitCode, wrong.report.errors]).toEqual([
      3,
      { unauthorised: 1, unavailable: 0, unexpected: 0 },
    ]);
    await registry.stop();
    const down = await probe(registry.url);
    expect([down.exitCode, down.report.catalogueAccessible]).toEqual([3, false]);
    expect(down.report.errors).toEqual({ unauthorised: 0, unavailable: 2, unexpected: 0 });
  });

  test("finds a layer that was cut short on the disk, and one that is empty", async () => {
    await fill();
    const layers = [amd64, arm64].map(({ parts }) => parts[1]?.descriptor.digest ?? digest(amd64));
    await registry.stop();
    for (const [sizeBytes, layer] of layers.entries())
      await truncate(blobDataPath(registry.directory, layer), sizeBytes);
    await registry.start();
    const { exitCode, report } = await probe(registry.url);
    expect(exitCode).toBe(1);
    const found = report.findings.map((f) => [
      f.repository,
      f.kind,
      f.cause,
      f.digest,
      f.tags.join(),
      f.platform,
    ]);
    expect(found.sort()).toEqual(
      [
        ["nested", "layer", "blob-empty", layers[0], "inner,outer", "linux/amd64"],
        ["nested", "layer", "size-mismatch", layers[1], "inner,outer", "linux/arm64/v8"],
        ["team/app", "layer", "blob-empty", layers[0], "1,single", "linux/amd64"],
        ["team/app", "layer", "size-mismatch", layers[1], "1", "linux/arm64/v8"],
      ].sort(),
    );
  });

  test("does not take an empty registry for a clean one when a sentinel should be there", async () => {
    const { exitCode, report } = await probe(registry.url, ["--sentinel", "regwarden/sentinel"]);
    expect([exitCode, report.complete, report.sentinelPresent]).toEqual([3, false, false]);
  });

  test("reads a catalogue of several pages", async () => {
    const names = Array.from({ length: 105 }, (_, i) => `r${String(i).padStart(3, "0")}`);
    await registry.push(amd64, "r000", "1");
    await registry.mount(amd64, "r000", names.slice(1), "1");
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.repositories, report.tags]).toEqual([0, 105, 105]);
  });

  test("asks over TLS a server with a certificate of the given CA, and no other", async () => {
    await fill();
    const proxy = await startTlsProxy(registry.url);
    try {
      const account = { REG_USER: login.user, REG_PASS: login.password };
      const trusting = await probe(proxy.url, [], { ...account, NODE_EXTRA_CA_CERTS: proxy.certificatePath });
      expect([trusting.exitCode, trusting.report.tags]).toEqual([0, 5]);
      const days = (Date.parse(trusting.report.certificateExpiresAt ?? "") - Date.now()) / 86_400_000;
      expect(Math.round(days)).toBe(30);
      const other = await probe(proxy.url);
      expect([other.exitCode, other.report.errors.unexpected]).toEqual([3, 2]);
    } finally {
      await proxy.stop();
    }
  });

  test("puts its group into a real Pushgateway, and nothing of the former run stays", async () => {
    const gateway = await startPushgateway();
    try {
      await fill();
      await registry.collectGarbage("-m");
      const flags = ["--pushgateway", gateway.url, "--instance", "registry.example/x:5050"];
      expect((await probe(registry.url, flags)).exitCode).toBe(1);
      const first = await (await fetch(`${gateway.url}/metrics`)).text();
      const labels = 'instance="registry.example/x:5050",job="registry-integrity-probe"';
      expect(first).toContain(`registry_manifest_integrity_failures{${labels}} 4\n`);
      expect(first).toContain(`regwarden_probe_broken{${labels},repository="nested"} 2\n`);
      expect(first).toContain("regwarden_probe_success_timestamp_seconds{");

      await registry.stop();
      expect((await probe(registry.url, flags)).exitCode).toBe(3);
      const second = await (await fetch(`${gateway.url}/metrics`)).text();
      expect(second).toContain(`registry_manifest_integrity_catalog_accessible{${labels}} 0\n`);
      expect(second).not.toMatch(
        /^(registry_manifest_integrity_(failures|repos_checked|tags_checked)|regwarden_probe_(broken|success\w*))\{/m,
      );
    } finally {
      await gateway.stop();
    }
  });
});

describe("a probe of a registry that keeps descriptors in memory", () => {
  const images = ["deleted", "emptied", "cut"].map((text) => image(text, "linux/amd64"));
  const layers = images.map(({ parts }) => parts[1]?.descriptor.digest ?? digest(amd64));
  let registry: Registry;

  beforeEach(async () => {
    registry = await startRegistry(login, { cachesBlobs: true });
    await upload({ url: registry.url, login }, amd64, "app", "fine");
    for (const [at, content] of images.entries())
      await upload({ url: registry.url, login }, content, "app", String(at));
    // The registry now knows all blobs by heart.
    expect((await probe(registry.url)).exitCode).toBe(0);
    const [deleted, emptied, cut] = layers.map((layer) => blobDataPath(registry.directory, layer));
    await rm(deleted ?? "");
    await truncate(emptied ?? "");
    await truncate(cut ?? "", 100);
  });
  afterEach(() => registry.dispose());

  const lost = layers.map((layer, at) => [layer, "layer", "blob-missing", "critical", String(at)]);
  const found = ({ findings }: ProbeReport) =>
    findings.map(({ digest, kind, cause, severity, tags }) => [digest, kind, cause, severity, tags.join()]);

  test("finds every layer of which the registry gives the length and no end", async () => {
    for (const layer of layers) {
      const headers = { authorization: `Basic ${btoa(`${login.user}:${login.password}`)}` };
      const head = await fetch(`${registry.url}/v2/app/blobs/${layer}`, { method: "HEAD", headers });
      expect([head.status, head.headers.get("content-length")]).toEqual([200, "1024"]);
    }
    const { exitCode, report } = await probe(registry.url);
    expect(found(report).sort()).toEqual(lost.toSorted());
    expect([exitCode, report.complete]).toEqual([1, true]);
    expect(report.errors).toEqual({ unauthorised: 0, unavailable: 0, unexpected: 0 });
  });

  test.each([false, true])(
    "finds them behind nginx as well; one with a cache of its own: %s",
    async (keepsBlobs) => {
      const nginx = await startNginx(registry.url, { keepsBlobs });
      try {
        const { exitCode, report } = await probe(nginx.url);
        expect(found(report).sort()).toEqual(lost.toSorted());
        expect([exitCode, report.complete]).toEqual([1, true]);
      } finally {
        await nginx.stop();
      }
    },
  );

  test("is not stopped by more of them than failures that it would bear", async () => {
    const more = Array.from({ length: 60 }, (_, at) => image(`more ${at}`, "linux/amd64"));
    for (const [at, content] of more.entries())
      await upload({ url: registry.url, login }, content, "more", String(at));
    for (const { parts } of more)
      await rm(blobDataPath(registry.directory, parts[1]?.descriptor.digest ?? digest(amd64)));
    const { exitCode, report } = await probe(registry.url);
    expect([exitCode, report.complete, report.findings.length]).toEqual([1, true, 63]);
  });
});

test("tags whose links are empty leave no other repository unasked, and are asked for once in each reading", async () => {
  const registry = await startRegistry();
  try {
    const names = Array.from({ length: 60 }, (_, at) => `t${at}`);
    for (const name of names) await upload(registry, amd64, "damaged", name);
    for (const repository of ["a", "z"]) await upload(registry, amd64, repository, "1");
    for (const name of names) await truncate(tagLinkPath(registry.directory, "damaged", name));
    const { exitCode, report } = await probe(registry.url, [], {});
    expect([exitCode, report.complete, report.repositories]).toEqual([1, true, 3]);
    expect(report.findings.map(({ kind, cause, severity }) => `${kind} ${cause} ${severity}`)).toEqual(
      names.map(() => "tag link-invalid critical"),
    );
    expect(report.errors).toEqual({ unauthorised: 0, unavailable: 0, unexpected: 0 });
    // The catalogue, three lists, two tags with two blobs each; the list and its 60 tags a second time.
    expect(report.requests).toBe(1 + 3 + 60 + 2 * 3 + 1 + 60);
  } finally {
    await registry.dispose();
  }
});
