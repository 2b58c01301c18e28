import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Digest } from "../../../../scripts/registry/digest.ts";
import { blobDataPath, repositoryPath, tagLinkPath } from "../../../../scripts/registry/paths.ts";
import { scan } from "../../../support/commands.ts";
import { privateStore } from "../../../support/store/store.ts";

const amd64 = { os: "linux", architecture: "amd64" };
const lost: Digest = `sha256:${"0".repeat(64)}`;

describe("what cannot be read ends with 3 and stands in the report", () => {
  async function expectUnreadable(root: string, expected: object) {
    const { exitCode, report } = await scan(root);
    expect(exitCode).toBe(3);
    expect(report.complete).toBe(false);
    expect(report.findings).toHaveLength(1);
    expect(report.findings[0]).toMatchObject({ cause: "unreadable", remedy: "none", ...expected });
  }

  // A directory in the place of a file cannot be read by anybody, root included.
  test("a layer link", async () => {
    const { root, store } = await privateStore();
    await mkdir(store.layerLink("app", lost), { recursive: true });
    await expectUnreadable(root, { kind: "layer-link", digest: lost });
  });

  test("a revision link", async () => {
    const { root, store } = await privateStore();
    await mkdir(store.revisionLink("app", lost), { recursive: true });
    await expectUnreadable(root, { kind: "manifest", digest: lost });
  });

  test("a tag's link", async () => {
    const { root, store } = await privateStore();
    await mkdir(tagLinkPath(store.directory, "app", "1"), { recursive: true });
    await expectUnreadable(root, { kind: "tag", tags: ["1"] });
  });

  test("a blob", async () => {
    const { root, store } = await privateStore();
    await mkdir(blobDataPath(store.directory, lost), { recursive: true });
    await expectUnreadable(root, { kind: "store", digest: lost, repository: null });
  });

  test("a list of links", async () => {
    const { root, store } = await privateStore();
    await store.put(join(repositoryPath(store.directory, "app"), "_layers"), "a file");
    await expectUnreadable(root, { kind: "layer-link", digest: null, repository: "app" });
  });

  test("the list of repositories", async () => {
    const { root, store } = await privateStore();
    await store.put(join(store.directory, "docker/registry/v2/repositories"), "a file");
    await expectUnreadable(root, { kind: "store", repository: null });
  });

  test("a manifest that is longer than a manifest may be", async () => {
    const { root, store } = await privateStore();
    const padding = "x".repeat(4 * 1024 * 1024);
    const digest = await store.manifest("app", { manifests: [{ digest: lost }], padding }, "1");
    await expectUnreadable(root, { kind: "manifest", digest, tags: ["1"] });
  });

  test("a manifest that is none", async () => {
    const { root, store } = await privateStore();
    const digest = await store.manifest("app", '{"manifests":[', "1");
    await expectUnreadable(root, {
      kind: "manifest",
      digest,
      message: expect.stringContaining("is not JSON"),
    });
  });

  // A link to itself is what root cannot look into either.
  test.each([
    ["a directory beside the registries", "backup", 3],
    ["but not the file system's own", "lost+found", 0],
    ["nor what the programs keep", ".regwarden", 0],
    ["nor what the first of them kept", "_regwarden", 0],
  ])("%s", async (_what, name, code) => {
    const { root, store } = await privateStore();
    await mkdir(join(store.directory, "docker/registry/v2/repositories"), { recursive: true });
    await symlink(name, join(root, name));
    const { exitCode, report } = await scan(root);
    expect(exitCode).toBe(code);
    expect(report.complete).toBe(code === 0);
  });

  test("but a manifest as long as it may be is read whole", async () => {
    const { root, store } = await privateStore();
    const document = { padding: "", manifests: [{ digest: lost, platform: amd64 }] };
    document.padding = "x".repeat(4 * 1024 * 1024 - JSON.stringify(document).length);
    await store.manifest("app", document, "1");
    const { exitCode, report } = await scan(root);
    expect(exitCode).toBe(1);
    expect(report.findings).toMatchObject([{ kind: "index-child", digest: lost }]);
  });
});

describe("a link that holds no digest is reported as it is", () => {
  test.each([
    ["nothing", ""],
    ["a line end after the digest", `${lost}\n`],
    ["another digest", `sha256:${"1".repeat(64)}`],
  ])("%s", async (_what, content) => {
    const { root, store } = await privateStore();
    await store.put(store.layerLink("app", lost), content);
    const { exitCode, report } = await scan(root);
    expect(exitCode).toBe(1);
    expect(report.findings).toMatchObject([{ kind: "layer-link", cause: "link-invalid", digest: lost }]);
  });
});
