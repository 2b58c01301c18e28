import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Digest } from "../../../../scripts/registry/digest.ts";
import {
  blobDataPath,
  blobDirectory,
  repositoryPath,
  schedulerStatePath,
} from "../../../../scripts/registry/paths.ts";
import { scan } from "../../../support/commands.ts";
import { regwarden, temporaryDirectory } from "../../../support/program.ts";
import { privateStore, storeAt } from "../../../support/store/store.ts";

const amd64 = { os: "linux", architecture: "amd64" };
const lost: Digest = `sha256:${"0".repeat(64)}`;

describe("a scan", () => {
  test("prints one document in the shape of the contract", async () => {
    const { root, store } = await privateStore();
    const layer = await store.layer("team/app", "layer");
    const image = await store.manifest("team/app", { config: { digest: layer }, layers: [] });
    const manifests = [
      { digest: image, platform: amd64 },
      { digest: lost, platform: amd64 },
    ];
    const index = await store.manifest("team/app", { manifests }, "1", "2");

    const { exitCode, report } = await scan(root);

    expect(exitCode).toBe(1);
    expect(report).toEqual({
      schema: "regwarden/scan/v1",
      finishedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      durationSeconds: expect.any(Number),
      complete: true,
      registries: [
        {
          name: "private",
          mode: "authoritative",
          repositories: 1,
          tags: 2,
          indexes: 1,
          manifests: 2,
          layerLinks: 1,
          blobs: 3,
          bytes: expect.any(Number),
        },
      ],
      findings: [
        {
          kind: "index-child",
          cause: "link-missing",
          severity: "critical",
          registry: "private",
          repository: "team/app",
          digest: lost,
          parent: index,
          tags: ["1", "2"],
          platform: "linux/amd64",
          remedy: "rebuild",
          message: expect.any(String),
          hint: expect.any(String),
          place: null,
        },
      ],
    });
  });

  test("finds layer links without a blob or with an empty one, in caches as well", async () => {
    const root = await temporaryDirectory();
    const store = storeAt(join(root, "dockerhub"));
    const gone = await store.layer("app", "gone");
    const empty = await store.layer("app", "empty");
    await store.layer("app", "fine");
    await rm(blobDirectory(store.directory, gone), { recursive: true });
    await writeFile(blobDataPath(store.directory, empty), "");

    const { exitCode, report } = await scan(root, "--cache", "dockerhub");

    expect(exitCode).toBe(1);
    expect(report.findings.map(({ kind, cause, digest }) => [kind, cause, digest]).sort()).toEqual(
      [
        ["layer-link", "blob-missing", gone],
        ["layer-link", "blob-empty", empty],
      ].sort(),
    );
  });

  test("takes repositories inside repositories, and leaves what is none", async () => {
    const { root, store } = await privateStore();
    for (const name of ["a", "a/b/c", "d"]) await store.layer(name, name);
    await mkdir(join(repositoryPath(store.directory, "e/f"), "_uploads"), { recursive: true });
    await store.put(join(repositoryPath(store.directory, "a"), "stray-file"), "");
    const { exitCode, report } = await scan(root);
    expect(exitCode).toBe(0);
    expect(report.registries).toMatchObject([{ repositories: 3, layerLinks: 3 }]);
  });

  test("does not follow a circle of symbolic links for ever", async () => {
    const { root, store } = await privateStore();
    await store.layer("a", "a");
    await symlink(repositoryPath(store.directory, "a"), join(repositoryPath(store.directory, "a"), "again"));
    const { exitCode, report } = await scan(root);
    expect(exitCode).toBe(3);
    expect(report.findings).toMatchObject([{ kind: "store", cause: "unreadable" }]);
  });

  test("tells people what is broken, for whom, and what to type next", async () => {
    const { root, store } = await privateStore();
    await store.manifest("app", { manifests: [{ digest: lost, platform: amd64 }] }, "1");
    const { exitCode, stdout, stderr } = await regwarden(["scan", root]);
    expect(exitCode).toBe(1);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^REGISTRY +MODE +REPOSITORIES +TAGS +INDEXES +LAYER LINKS +BLOBS +FINDINGS\n/);
    expect(stdout).toMatch(/\nprivate +authoritative +1 +1 +1 +0 +1 +1\n/);
    expect(stdout).toContain("Tag 1 cannot be pulled for linux/amd64.");
    expect(stdout).toContain("hint: build and push again: docker buildx build --push --tag REGISTRY/app:1 .");
    expect(stdout).toContain("1 finding, 1 of them critical.");
  });

  test("draws progress only for a person", async () => {
    const { root, store } = await privateStore();
    await store.layer("app", "layer");
    expect((await regwarden(["scan", root])).stderr).toBe("");
    expect((await regwarden(["scan", root], { isInteractive: true })).stderr).toContain("private: 1 blobs");
  });
});

describe("the directory to look at", () => {
  test("may be one store, which is then authoritative", async () => {
    const { store } = await privateStore();
    await store.layer("app", "layer");
    const { exitCode, report } = await scan(store.directory);
    expect(exitCode).toBe(0);
    expect(report.registries).toMatchObject([{ name: "private", mode: "authoritative" }]);
  });

  test("may hold other things than registries", async () => {
    const { root, store } = await privateStore();
    await store.layer("app", "layer");
    await mkdir(join(root, "backup"));
    await writeFile(join(root, "readme"), "");
    expect((await scan(root)).report.registries).toHaveLength(1);
  });

  test("must hold a store: none found is not nothing wrong", async () => {
    const root = await temporaryDirectory();
    await mkdir(join(root, "private"));
    const report = join(root, "report.json");
    const { exitCode, stdout, stderr } = await regwarden(["scan", root, "--report", report]);
    expect(exitCode).toBe(3);
    expect(stdout).toBe("");
    expect(stderr).toContain("expected  docker/registry/v2");
    expect(stderr).toContain("found     the directories private");
    expect(stderr).toContain(`No report was written; ${report} is as it was.`);
    expect(await readdir(root)).toEqual(["private"]);
  });

  test("must exist", async () => {
    const { exitCode, stderr } = await regwarden(["scan", "/nowhere/at/all"]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("Cannot read /nowhere/at/all");
  });

  test("must hold the registry that is named as authoritative", async () => {
    const { root, store } = await privateStore();
    await store.layer("app", "layer");
    const { exitCode, stderr } = await regwarden(["scan", root, "--authoritative", "other"]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("--authoritative other: there is no such store here; found private.");
  });

  test("without any authoritative registry is scanned, but not silently", async () => {
    const root = await temporaryDirectory();
    const store = storeAt(join(root, "dockerhub"));
    await store.layer("app", "layer");
    await store.put(schedulerStatePath(store.directory), "{}");
    const { exitCode, stderr } = await regwarden(["scan", root]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain("All registries are caches");
  });

  test("may be one cache's store", async () => {
    const { store } = await privateStore();
    await store.layer("app", "layer");
    await store.put(schedulerStatePath(store.directory), "{}");
    expect((await scan(store.directory)).report.registries).toMatchObject([{ mode: "cache" }]);
  });

  test.each([
    ["that no directory has", ["--cache", "other"], 3, "--cache other: there is no such store here"],
    [
      "of a registry that is said to be both",
      ["--cache", "private", "--authoritative", "private"],
      2,
      "both name",
    ],
  ])("refuses a name %s", async (_what, flags, code, message) => {
    const { root, store } = await privateStore();
    await store.layer("app", "layer");
    const { exitCode, stderr } = await regwarden(["scan", root, ...flags]);
    expect([exitCode, stderr]).toEqual([code, expect.stringContaining(message)]);
  });

  test("may have a cache that was never asked, and so has no store yet", async () => {
    const { root, store } = await privateStore();
    await store.layer("app", "layer");
    await mkdir(join(root, "dockerhub"));
    expect((await scan(root, "--cache", "dockerhub")).exitCode).toBe(0);
  });
});

describe("--report", () => {
  test("writes the document, replaces an older one, and leaves nothing else behind", async () => {
    const { root, store } = await privateStore();
    await store.layer("app", "layer");
    const directory = await temporaryDirectory();
    const path = join(directory, "scan.json");
    await writeFile(path, "older");
    const { exitCode, stdout } = await regwarden(["scan", root, "--report", path]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("REGISTRY");
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({
      schema: "regwarden/scan/v1",
      complete: true,
    });
    expect(await readdir(directory)).toEqual(["scan.json"]);
  });

  test("that cannot be written ends with 3, and what was there stays", async () => {
    const { root, store } = await privateStore();
    await store.layer("app", "layer");
    const directory = await temporaryDirectory();
    // Nothing can be renamed over a directory that is not empty.
    const path = join(directory, "scan.json");
    await store.put(join(path, "kept"), "older");
    const { exitCode, stdout, stderr } = await regwarden(["scan", root, "--report", path]);
    expect(exitCode).toBe(3);
    expect(stdout).toContain("No findings.");
    expect(stderr).toContain("Cannot write the report");
    expect(await readdir(dirname(path))).toEqual(["scan.json"]);
    expect(await readFile(join(path, "kept"), "utf8")).toBe("older");
  });
});
