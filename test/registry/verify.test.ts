import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Finding } from "../../contract/finding.ts";
import type { VerifyReport } from "../../contract/verify-report.ts";
import { blobDataPath } from "../../scripts/registry/paths.ts";
import { buildCache, fileIndex } from "../support/images/artifacts.ts";
import {
  attestation,
  type Content,
  digest,
  dockerList,
  image,
  index,
  withDescriptor,
} from "../support/images/oci-content.ts";
import { program, regwardenProcess, withReport } from "../support/program.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { startTlsProxy } from "../support/registry/tls-proxy.ts";
import { storeAt } from "../support/store/store.ts";

const login = { user: "ci", password: "correct horse" };
const account = { REG_USER: login.user, REG_PASS: login.password };

async function verify(argv: readonly string[], environment: Readonly<Record<string, string>> = account) {
  const line = ["verify", "--json", "--wait", "0", ...argv];
  return withReport<VerifyReport>(await regwardenProcess(line, environment));
}

const amd64 = image("amd64", "linux/amd64");
const arm64 = image("arm64", "linux/arm64/v8");
const attested = attestation(amd64);
const multi = index([amd64, arm64, attested]);
const facts = ({ kind, cause, severity, digest }: Finding) => [kind, cause, severity, digest];

describe("a verification against a real registry", () => {
  let registry: Registry;
  let host: string;
  let scratch: string;

  beforeEach(async () => {
    registry = await startRegistry(login);
    host = new URL(registry.url).host;
    scratch = await mkdtemp(join(tmpdir(), "regwarden-verify-"));
  });
  afterEach(async () => {
    await registry.dispose();
    await rm(scratch, { recursive: true });
  });

  test("finds complete what was pushed completely, by tag and by digest, in one run", async () => {
    await registry.push(multi, "ci", "latest");
    await registry.push(dockerList([image("docker", "linux/amd64", "docker")]), "ci", "docker");
    const platforms = ["--platform", "linux/amd64"];
    const { exitCode, report, stderr } = await verify([
      ...platforms,
      `${host}/ci`,
      `${host}/ci@${digest(multi)}`,
      `${host}/ci:latest@${digest(multi)}`,
      `${host}/ci:docker`,
      "--download",
    ]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(report).toMatchObject({ schema: "regwarden/verify/v1", complete: true });
    expect(report.images.map(({ digest, findings }) => [digest, findings])).toEqual([
      [digest(multi), []],
      [digest(multi), []],
      [digest(multi), []],
      [expect.any(String), []],
    ]);
    expect(report.images[0]).toMatchObject({
      reference: `${host}/ci`,
      repository: "ci",
      checks: 1,
      manifests: 4,
      blobs: 6,
      platforms: [
        { digest: digest(amd64), platform: "linux/amd64", isAttestation: false, blobs: 2 },
        { digest: digest(arm64), platform: "linux/arm64/v8", isAttestation: false, blobs: 2 },
        { digest: digest(attested), platform: "unknown/unknown", isAttestation: true, blobs: 2 },
      ],
    });
  });

  test.each([true, false])(
    "reports everything that the collection took at once; media type: %s",
    async (saysMediaType) => {
      const content = index([amd64, arm64, attested], { saysMediaType });
      await registry.push(content, "ci", "1");
      await registry.collectGarbage("-m");
      for (const name of [`${host}/ci:1`, `${host}/ci@${digest(content)}`]) {
        const { exitCode, report } = await verify([name]);
        expect([exitCode, report.complete]).toEqual([1, true]);
        expect(report.images[0]?.findings.map(facts).sort()).toEqual(
          [
            ["index-child", "link-missing", "critical", digest(amd64)],
            ["index-child", "link-missing", "critical", digest(arm64)],
            ["index-child", "link-missing", "warning", digest(attested)],
          ].sort(),
        );
      }
    },
  );

  test("checks the platforms that it is given, and those that the images themselves name", async () => {
    const wrong = {
      ...arm64,
      descriptor: { ...arm64.descriptor, platform: { os: "linux", architecture: "s390x" } },
    };
    await registry.push(index([amd64, wrong]), "ci", "1");
    await registry.push(amd64, "ci", "single");
    const flags = ["--platform", "linux/amd64", "--platform", "linux/arm64"];
    const { exitCode, report } = await verify([...flags, `${host}/ci:1`, `${host}/ci:single`]);
    expect(exitCode).toBe(1);
    const found = report.images.map(({ findings }) =>
      findings.map(({ cause, platform, digest }) => [cause, platform, digest]),
    );
    expect(found[0]).toEqual([
      ["platform-missing", "linux/arm64", report.images[0]?.digest],
      ["platform-mismatch", "linux/s390x", digest(arm64)],
    ]);
    expect(found[1]).toEqual([["platform-missing", "linux/arm64", digest(amd64)]]);
    expect(report.images[1]?.findings[0]?.message).toContain("it offers linux/amd64.");
  });

  test("does not take an index that names nothing for an image", async () => {
    await registry.pushManifest(index([]), "ci", "1");
    const { exitCode, report } = await verify([`${host}/ci:1`]);
    expect([exitCode, report.images[0]?.findings.map(({ cause }) => cause)]).toEqual([
      1,
      ["platform-missing"],
    ]);
  });

  test("keeps apart what was never pushed, and a tag that leads elsewhere", async () => {
    await registry.push(amd64, "ci", "1");
    const { exitCode, report } = await verify([
      `${host}/ci:2`,
      `${host}/other:1`,
      `${host}/ci@${digest(arm64)}`,
      `${host}/ci:1@${digest(arm64)}`,
    ]);
    expect(exitCode).toBe(1);
    expect(report.complete).toBe(true);
    expect(report.images.map(({ findings }) => findings.map(({ cause }) => cause))).toEqual([
      ["absent"],
      ["absent"],
      ["absent"],
      ["absent", "tag-moved"],
    ]);
  });

  test.each([
    ["of an index of files", fileIndex("files")],
    ["of a build cache", buildCache("cache")],
  ])("finds a file %s that has other bytes of the right length by --download", async (_, content) => {
    const [file] = content.parts as [Content];
    await registry.upload(content, "ci", "1");
    await registry.stop();
    await writeFile(blobDataPath(registry.directory, digest(file)), "x".repeat(file.bytes.byteLength));
    await registry.start();
    expect((await verify([`${host}/ci:1`])).exitCode).toBe(0);
    const { exitCode, report } = await verify([`${host}/ci:1`, "--download"]);
    expect([exitCode, report.images[0]?.findings.map(facts)]).toEqual([
      1,
      [["layer", "digest-mismatch", "critical", digest(file)]],
    ]);
  });

  test("finds a cut layer by its length, and by --download one of the right length", async () => {
    await registry.push(amd64, "ci", "1");
    const [config, layer] = amd64.parts as [Content, Content];
    await registry.stop();
    const bytes = Buffer.from(layer.bytes);
    bytes[0] = 255;
    await writeFile(blobDataPath(registry.directory, digest(layer)), bytes);
    await registry.start();
    expect((await verify([`${host}/ci:1`])).exitCode).toBe(0);
    const altered = await verify([`${host}/ci:1`, "--download"]);
    expect(altered.report.images[0]?.findings.map(facts)).toEqual([
      ["layer", "digest-mismatch", "critical", digest(layer)],
    ]);
    await registry.stop();
    await writeFile(blobDataPath(registry.directory, digest(layer)), bytes.subarray(1));
    await writeFile(blobDataPath(registry.directory, digest(config)), "x".repeat(config.bytes.byteLength));
    await registry.start();
    const cut = await verify([`${host}/ci:1`]);
    expect(cut.report.images[0]?.findings.map(facts).sort()).toEqual([
      ["config", "digest-mismatch", "critical", digest(config)],
      ["layer", "size-mismatch", "critical", digest(layer)],
    ]);
  });

  test("finds a layer that the registry still believes in, and that is gone", async () => {
    const [, layer] = amd64.parts as [Content, Content];
    const believing = await startRegistry(login, { cachesBlobs: true });
    try {
      const name = `${new URL(believing.url).host}/ci:1`;
      await believing.push(amd64, "ci", "1");
      expect((await verify([name])).exitCode).toBe(0);
      await rm(blobDataPath(believing.directory, digest(layer)));
      for (const flags of [[], ["--download"]]) {
        const { exitCode, report } = await verify([name, ...flags]);
        expect([exitCode, report.complete]).toEqual([1, true]);
        expect(report.images[0]?.findings.map(facts)).toEqual([
          ["layer", "blob-missing", "critical", digest(layer)],
        ]);
      }
    } finally {
      await believing.dispose();
    }
  });

  test("knows a link that is no digest for damage, also by --download", async () => {
    await registry.push(amd64, "ci", "1");
    const [, layer] = amd64.parts as [Content, Content];
    await writeFile(storeAt(registry.directory).layerLink("ci", digest(layer)), "");
    for (const flags of [[], ["--download"]]) {
      const { exitCode, report } = await verify([`${host}/ci:1`, ...flags]);
      expect([exitCode, report.images[0]?.findings.map(facts)]).toEqual([
        1,
        [["layer", "link-invalid", "critical", digest(layer)]],
      ]);
    }
  });

  test("compares variants only where the index and the image both name one", async () => {
    const arm = image("arm", "linux/arm");
    const says = (variant: string) =>
      index([withDescriptor(arm, { platform: { os: "linux", architecture: "arm", variant } })]);
    await registry.push(says("v6"), "ci", "1");
    expect((await verify([`${host}/ci:1`, "--platform", "linux/arm/v6"])).exitCode).toBe(0);
    const v7 = image("v7", "linux/arm/v7");
    const wrong = withDescriptor(v7, { platform: { os: "linux", architecture: "arm", variant: "v6" } });
    await registry.push(index([wrong]), "ci", "2");
    const { exitCode, report } = await verify([`${host}/ci:2`]);
    expect([exitCode, report.images[0]?.findings.map(facts)]).toEqual([
      1,
      [["index-child", "platform-mismatch", "critical", digest(v7)]],
    ]);
  });

  test("does not take a build cache for an image of a platform", async () => {
    const cache = buildCache("cache");
    await registry.upload(cache, "ci", "cache");
    expect((await verify([`${host}/ci:cache`])).exitCode).toBe(0);
    const { exitCode, report } = await verify([`${host}/ci:cache`, "--platform", "linux/amd64"]);
    expect([exitCode, report.images[0]?.findings.map(facts)]).toEqual([
      1,
      [["index-child", "platform-missing", "critical", digest(cache)]],
    ]);
  });

  test("follows signatures under fallback tags, and warns when they are damaged", async () => {
    await registry.push(multi, "ci", "1");
    const signature = image("signature", "linux/amd64");
    const hex = digest(multi).replace(":", "-");
    await registry.push(signature, "ci", `${hex}.sig`);
    await registry.push(index([image("sbom", "linux/amd64")]), "ci", hex);
    const before = await verify([`${host}/ci:1`]);
    expect([before.exitCode, before.report.images[0]?.referrers]).toEqual([0, 2]);
    await registry.push(multi, "keeper", "1");
    await registry.collectGarbage("-m");
    // The index as it was pushed, so that only the fallback tags are damaged.
    await registry.push(multi, "ci", "1");
    const after = await verify([`${host}/ci:1`]);
    expect(after.exitCode).toBe(1);
    expect(after.report.images[0]?.findings.map(facts)).toEqual([
      ["referrer", "link-missing", "warning", digest(image("sbom", "linux/amd64"))],
    ]);
  });

  test("waits for a push that is still under way", async () => {
    const line = [program, "verify", "--json", "--wait", "60", `${host}/ci:late`];
    const child = spawn(process.execPath, line, { env: { ...account }, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    child.stdout.on("data", (piece) => {
      stdout += piece;
    });
    const [note] = await once(createInterface({ input: child.stderr }), "line");
    expect(note).toContain(`not complete yet: ${host}/ci:late`);
    await registry.push(multi, "ci", "late");
    const [code] = await once(child, "close");
    expect(code).toBe(0);
    const { images } = JSON.parse(stdout) as VerifyReport;
    expect(images[0]?.checks).toBeGreaterThan(1);
  });

  test("takes the account from docker login's file, and reports a refused one as not checked", async () => {
    await registry.push(multi, "ci", "1");
    const auth = Buffer.from(`${login.user}:${login.password}`).toString("base64");
    await writeFile(join(scratch, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }));
    expect((await verify([`${host}/ci:1`], { DOCKER_CONFIG: scratch })).exitCode).toBe(0);
    const wrong = await verify([`${host}/ci:1`, "--wait", "30"], { ...account, REG_PASS: "not this one" });
    expect([wrong.exitCode, wrong.report.complete, wrong.report.images[0]?.checks]).toEqual([3, false, 1]);
    expect(wrong.stdout + wrong.stderr).not.toContain("not this one");
    const anonymous = await verify([`${host}/ci:1`], { HOME: scratch });
    expect(anonymous.exitCode).toBe(3);
  });

  test("could not check a registry that is down, or one whose certificate it does not trust", async () => {
    await registry.push(multi, "ci", "1");
    const proxy = await startTlsProxy(registry.url);
    try {
      const name = `${new URL(proxy.url).host}/ci:1`;
      const trusted = await verify([name], { ...account, NODE_EXTRA_CA_CERTS: proxy.certificatePath });
      expect(trusted.exitCode).toBe(0);
      const stranger = await verify([name]);
      expect([stranger.exitCode, stranger.report.images[0]?.findings[0]?.cause]).toEqual([3, "unreadable"]);
      expect(stranger.report.images[0]?.findings[0]?.hint).toContain("NODE_EXTRA_CA_CERTS");
    } finally {
      await proxy.stop();
    }
    await registry.stop();
    const down = await verify([`${host}/ci:1`]);
    expect([down.exitCode, down.report.complete]).toEqual([3, false]);
  });

  test("takes nothing for complete that another, empty registry answers for", async () => {
    await registry.push(multi, "ci", "1");
    const other = await startRegistry();
    const proxy = await startTlsProxy(other.url);
    try {
      const name = `${new URL(proxy.url).host}/ci:1`;
      const outcome = await verify([name], { ...account, NODE_EXTRA_CA_CERTS: proxy.certificatePath });
      expect(outcome.exitCode).toBe(1);
      expect(outcome.report.images[0]?.findings.map(({ cause }) => cause)).toEqual(["absent"]);
    } finally {
      await proxy.stop();
      await other.dispose();
    }
  });

  test("writes what CI systems read, and what people read, with hints", async () => {
    await registry.push(multi, "ci", "1");
    await registry.collectGarbage("-m");
    const junit = join(scratch, "junit.xml");
    await verify([`${host}/ci:1`, `${host}/ci:2`, "--junit", junit]);
    const xml = await readFile(junit, "utf8");
    expect(xml).toContain(`<testsuite name="${host}/ci:1" tests="4" failures="3" errors="0">`);
    expect(xml).toContain(`<testsuite name="${host}/ci:2" tests="1" failures="1" errors="0">`);
    expect(xml).toContain(`name="linux/amd64 ${digest(amd64)}"><failure type="link-missing"`);
    const { stdout: text } = await regwardenProcess(["verify", "--wait", "0", `${host}/ci:1`], account);
    expect(text).toContain(`${host}/ci:1  NOT COMPLETE\n`);
    expect(text).toMatch(/ {2}linux\/amd64 {5}sha256:[0-9a-f]{12} {2}0 blobs {2}1 fault\n/);
    expect(text).toContain("0 of 1 image complete; ");
    expect(text).toContain("\n    hint: on the registry's machine, regwarden scan DIR says");
    expect(xml).toContain("&#10;hint: on the registry's machine, regwarden scan DIR says");
  });
});
