import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RepairReport } from "../../contract/repair-report.ts";
import { type Content, digest, image, index } from "../support/images/oci-content.ts";
import { regwardenProcess } from "../support/program.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { startTlsProxy } from "../support/registry/tls-proxy.ts";
import { storeAt } from "../support/store/store.ts";
import { treeOf } from "../support/store/tree.ts";

const amd64 = image("amd64", "linux/amd64");
const arm64 = image("arm64", "linux/arm64/v8");
const multi = index([amd64, arm64]);
const blobPath = ({ directory }: Registry, content: Content) => storeAt(directory).blobData(digest(content));

describe("a repair with a healthy registry beside the damaged one", () => {
  let registry: Registry;
  let healthy: Registry;

  beforeEach(async () => {
    registry = await startRegistry();
    healthy = await startRegistry({ user: "ci", password: "secret-word" });
  });
  afterEach(async () => {
    await registry.dispose();
    await healthy.dispose();
  });

  const account = { FROM_USER: "ci", FROM_PASS: "secret-word" };

  test("copies configurations and layers that are gone, and the registry serves the image again", async () => {
    for (const one of [registry, healthy]) await one.push(multi, "team/app", "1");
    await registry.collectGarbage("-m");
    await expect(registry.pull("team/app", "1")).rejects.toThrow();

    const argv = ["repair", registry.directory, "--from", healthy.url, "--json"];
    const planned = await regwardenProcess(argv, account);

    expect(planned.stderr).toBe("");
    expect(planned.exitCode).toBe(1);
    const report = JSON.parse(planned.stdout) as RepairReport;
    expect(report.images).toMatchObject([
      { tag: "1", remedy: "recopy", completeAfterwards: true, hints: [] },
    ]);
    // Of both children the configuration, the layer and the link; the links to the blobs were never lost.
    expect(report.changes.map(({ kind, from }) => [kind, from])).toEqual([
      ["blob", healthy.url],
      ["blob", healthy.url],
      ["revision-link", null],
      ["blob", healthy.url],
      ["blob", healthy.url],
      ["revision-link", null],
    ]);

    const applied = await regwardenProcess([...argv, "--apply"], account);

    expect(applied.stderr).toBe("");
    expect((JSON.parse(applied.stdout) as RepairReport).outcome).toEqual({
      made: 6,
      failures: [],
      left: [],
    });
    expect(applied.exitCode).toBe(0);
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
    const { exitCode, stdout, stderr } = await regwardenProcess(argv, account);

    expect(stderr).toBe("");
    const report = JSON.parse(stdout) as RepairReport;
    expect(report.changes.map(({ kind, digest, replaces }) => [kind, digest, replaces])).toEqual([
      ["blob", digest(config), expect.stringMatching(/^has 10 bytes instead of/)],
      ["blob", digest(layer), "is empty"],
      ["blob", digest(otherLayer), "has other bytes"],
      ["blob", digest(arm64), "is empty"],
    ]);
    expect(exitCode).toBe(0);
    const kept = await treeOf(join(report.journal ?? "", "kept"));
    expect([...kept.values()].map((content) => content?.length ?? 0).sort()).toEqual(
      [0, 0, 10, otherLayer.descriptor.size].sort(),
    );
    await registry.stop();
    await registry.start();
    await registry.pull("app", "1");
  });

  test.each([
    ["the password is wrong", { FROM_USER: "ci", FROM_PASS: "wrong-word" }, "FROM_USER and FROM_PASS"],
    ["it asks for an account and none is given", { DOCKER_CONFIG: "/nowhere" }, "FROM_USER and FROM_PASS"],
  ])("writes nothing when %s", async (_, environment, advice) => {
    for (const one of [registry, healthy]) await one.push(multi, "app", "1");
    await registry.collectGarbage("-m");
    const before = await treeOf(registry.directory);

    const argv = ["repair", registry.directory, "--from", healthy.url, "--apply"];
    const { exitCode, stderr } = await regwardenProcess(argv, environment);

    expect(exitCode).toBe(3);
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
    const { exitCode, stderr } = await regwardenProcess(argv, account);

    expect(exitCode).toBe(3);
    expect(stderr).toContain("ECONNREFUSED");
    expect(await treeOf(registry.directory)).toEqual(before);
  });

  test("copies over TLS from whom it trusts, and writes nothing when it does not", async () => {
    for (const one of [registry, healthy]) await one.push(multi, "app", "1");
    await registry.collectGarbage("-m");
    const proxy = await startTlsProxy(healthy.url);
    try {
      const argv = ["repair", registry.directory, "--from", proxy.url, "--apply"];
      const before = await treeOf(registry.directory);

      const refused = await regwardenProcess(argv, account);
      expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringContaining("TLS")]);
      expect(await treeOf(registry.directory)).toEqual(before);
      const trusted = await regwardenProcess(argv, {
        ...account,
        NODE_EXTRA_CA_CERTS: proxy.certificatePath,
      });

      expect([trusted.exitCode, trusted.stderr]).toEqual([0, ""]);
      await registry.pull("app", "1");
    } finally {
      await proxy.stop();
    }
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
    const { exitCode, stdout } = await regwardenProcess(argv, account);

    expect(exitCode).toBe(1);
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
