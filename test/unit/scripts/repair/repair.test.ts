import { mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RepairReport } from "../../../../contract/repair-report.ts";
import { mediaTypes } from "../../../../scripts/registry/media-types.ts";
import {
  blobDataPath,
  blobDirectory,
  layersPath,
  linkDirectory,
  repositoryPath,
  tagLinkPath,
  tagsPath,
} from "../../../../scripts/registry/paths.ts";
import { privateStore, scan, storeAt } from "../scan/store.ts";
import { type Outcome, regwarden, temporaryDirectory } from "../temporary.ts";
import { writeDamagedStore, writeWholeStore } from "./damaged-store.ts";
import { treeOf } from "./tree.ts";

async function repair(...argv: string[]): Promise<{ exitCode: number; report: RepairReport }> {
  const { exitCode, stdout, stderr } = await regwarden(["repair", ...argv, "--json"]);
  expect(stderr).toBe("");
  return { exitCode, report: JSON.parse(stdout) as RepairReport };
}

/** A data root whose private registry lost the link of the only child of `app:1`. */
async function rootWithLostChild() {
  const { root, store } = await privateStore();
  const written = await writeWholeStore(store.directory);
  await rm(store.revisionLink("app", written.manifest));
  return { root, store, ...written };
}

describe("the plan", () => {
  test("is empty, with exit code 0, for a store that lacks nothing", async () => {
    const { root, store } = await privateStore();
    await writeWholeStore(store.directory);
    const { exitCode, stdout } = await regwarden(["repair", root]);
    expect([exitCode, stdout]).toEqual([0, "No image lacks anything.\n"]);
  });

  test("says for each tag what is lost, what will be done, and how to do it", async () => {
    const root = await temporaryDirectory();
    const { manifest, layer, config } = await writeDamagedStore(root);

    const { exitCode, stdout } = await regwarden(["repair", root]);

    expect(exitCode).toBe(1);
    const lines = stdout.split("\n").map((line) => line.trim());
    expect(lines[1]).toMatch(/^private {3}app {9}1 .* 4 {8}recopy {2}whole$/);
    const short = (digest: string) => digest.slice(0, 19);
    expect(lines).toContain(`- revision-link ${short(manifest)} (linux/amd64) is gone: relink`);
    expect(lines).toContain(`- config ${short(config)} (linux/amd64) is gone: recopy`);
    expect(lines).toContain(
      `- copy ${short(layer)}, 14 bytes, from cache, in place of what has 5 bytes instead of 14`,
    );
    expect(lines).toContain("Nothing was changed. To do this, the same command with --apply.");
  });

  test("leaves an index of indexes unlinked as long as anything below it is lost, but brings back what is whole", async () => {
    const { root, store } = await privateStore();
    const { index, manifest } = await writeWholeStore(store.directory);
    const gone = await store.manifest("app", { schemaVersion: 2, manifests: [] });
    const list = (...digests: string[]) => ({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: digests.map((digest) => ({ digest })),
    });
    const inner = await store.manifest("app", list(index, gone));
    await store.manifest("app", list(inner), "outer");
    for (const lost of [manifest, inner, gone]) await rm(store.revisionLink("app", lost));
    await rm(blobDirectory(store.directory, gone), { recursive: true });

    const { report } = await repair(root);

    expect(report.changes.map(({ kind, digest }) => [kind, digest])).toEqual([["revision-link", manifest]]);
    expect(report.images).toMatchObject([
      { tag: "1", remedy: "relink", wholeAfterwards: true },
      { tag: "outer", remedy: "rebuild", wholeAfterwards: false, changes: [0] },
    ]);
  });

  test("trusts no blob by its length: where one part is lost, the others are hashed", async () => {
    const { root, store, layer, manifest } = await rootWithLostChild();
    await writeFile(blobDataPath(store.directory, layer), "The only layer");

    const { report } = await repair(root);

    expect(report.changes).toEqual([]);
    expect(report.images[0]?.lost).toMatchObject([
      { what: "revision-link", digest: manifest, remedy: "relink" },
      { what: "layer", digest: layer, cause: "has other bytes", remedy: "rebuild" },
    ]);
    expect(report.images[0]?.next).toContain(
      `mv ${blobDataPath("", layer)} ${blobDataPath("", layer)}.damaged`,
    );
  });

  test("finds silent damage of an image that seems whole, when it is asked to read everything", async () => {
    const root = await temporaryDirectory();
    const { layer } = await writeWholeStore(join(root, "private"));
    await writeWholeStore(join(root, "cache"));
    await writeFile(blobDataPath(join(root, "private"), layer), "The only layer");

    expect((await repair(root)).exitCode).toBe(0);
    const { exitCode, report } = await repair(root, "--verify-layers", "--apply");

    expect(report.changes).toMatchObject([{ kind: "blob", digest: layer, replaces: "has other bytes" }]);
    expect([exitCode, (await repair(root, "--verify-layers")).exitCode]).toEqual([0, 0]);
  });

  test("is refused above its budget, with the number to allow", async () => {
    const root = await temporaryDirectory();
    await writeDamagedStore(root);
    const before = await treeOf(root);

    const { exitCode, stdout, stderr } = await regwarden(["repair", root, "--apply", "--max-changes", "3"]);

    expect(exitCode).toBe(1);
    expect(stdout).toContain("to be done");
    expect(stderr).toContain("--max-changes 4");
    expect(await treeOf(root)).toEqual(before);
    expect((await repair(root, "--apply", "--max-changes", "4")).exitCode).toBe(0);
  });

  test("can be kept to one repository and one registry", async () => {
    const { root, store, manifest } = await rootWithLostChild();
    await writeDamagedStore(root);
    const other = storeAt(store.directory);
    const image = await other.manifest(
      "other",
      { schemaVersion: 2, config: { digest: manifest }, layers: [] },
      "x",
    );
    await rm(other.revisionLink("other", image));
    await other.put(other.layerLink("other", manifest), manifest);

    const { report } = await repair(root, "--repository", "other", "--registry", "private");

    expect(report.images.map(({ repository, tag }) => [repository, tag])).toEqual([["other", "x"]]);
    const nowhere = await regwarden(["repair", root, "--repository", "nowhere"]);
    expect([nowhere.exitCode, nowhere.stderr]).toEqual([3, expect.stringContaining("no such repository")]);
  });

  test("is never made for caches, and says which option names the registry that is none", async () => {
    const root = await temporaryDirectory();
    await writeWholeStore(join(root, "one"));
    await writeWholeStore(join(root, "two"));
    const { exitCode, stderr } = await regwarden(["repair", root]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("--authoritative NAME")]);
  });

  test("relinks what no tag leads to, but copies nothing for it", async () => {
    const root = await temporaryDirectory();
    await writeDamagedStore(root);
    await rm(tagsPath(join(root, "private"), "app"), { recursive: true });

    const { report } = await repair(root);

    expect([report.images, report.changes]).toEqual([[], []]);
    expect(report.triage.map(({ remedy }) => remedy)).not.toContain("recopy");
  });
});

describe("a tag whose link is lost", () => {
  async function rootWithLostTag(...history: string[]) {
    const { root, store } = await privateStore();
    const { index } = await writeWholeStore(store.directory);
    await writeFile(tagLinkPath(store.directory, "app", "1"), "");
    for (const digest of [index, ...history]) {
      const entry = linkDirectory(
        join(tagsPath(store.directory, "app"), "1", "index"),
        `sha256:${digest.slice(7)}`,
      );
      await store.put(join(entry, "link"), digest);
    }
    return { root, store, index };
  }

  test("is pointed at the only manifest that it ever led to, when that is asked for", async () => {
    const { root, store, index } = await rootWithLostTag();

    const careful = await repair(root, "--apply");
    expect([careful.exitCode, careful.report.changes]).toEqual([1, []]);
    expect(careful.report.images[0]?.next[0]).toContain("--tag-links");
    const { exitCode } = await repair(root, "--apply", "--tag-links");

    expect(exitCode).toBe(0);
    expect(await readFile(tagLinkPath(store.directory, "app", "1"), "utf8")).toBe(index);
  });

  test("is left alone when it can have meant more than one", async () => {
    const { root } = await rootWithLostTag(`sha256:${"0".repeat(64)}`);
    const { exitCode, report } = await repair(root, "--apply", "--tag-links");
    expect([exitCode, report.changes]).toEqual([1, []]);
    expect(report.images).toMatchObject([{ tag: "1", digest: null, remedy: "rebuild" }]);
  });
});

describe("an applied plan", () => {
  test("prints the plan first, then what was done and what to type next", async () => {
    const root = await temporaryDirectory();
    await writeDamagedStore(root);

    const { stdout } = await regwarden(["repair", root, "--apply"]);

    expect(stdout.indexOf("to be done")).toBeLessThan(stdout.indexOf("Made 4 of 4 changes."));
    expect(stdout).toContain("docker restart registry-private");
    expect(stdout).toMatch(/To take it back: regwarden repair .* --undo .*_regwarden\/repair-/);
  });

  test("leaves nothing behind that a scan would take for a registry or for damage", async () => {
    const { root } = await rootWithLostChild();
    expect((await repair(root, "--apply")).exitCode).toBe(0);
    const { exitCode, report } = await scan(root);
    expect([exitCode, report.registries.map(({ name }) => name)]).toEqual([0, ["private"]]);
    expect(await readdir(join(root, "private"))).toEqual(["docker"]);
  });

  test("writes nothing through a symbolic link that leads out of the store", async () => {
    const { root, store, manifest } = await rootWithLostChild();
    const elsewhere = await temporaryDirectory();
    const revisions = join(repositoryPath(store.directory, "app"), "_manifests", "revisions");
    await rename(revisions, join(elsewhere, "revisions"));
    await symlink(join(elsewhere, "revisions"), revisions);
    const before = await treeOf(elsewhere);

    const { exitCode, report } = await repair(root, "--apply");

    expect(exitCode).toBe(1);
    expect(report.outcome?.failures[0]).toContain("leads out of the store");
    expect(report.outcome?.failures[0]).toContain(manifest.slice(7));
    expect(await treeOf(elsewhere)).toEqual(before);
  });

  test("neither replaces nor removes a directory that lies in a link's place", async () => {
    const { root, store, config } = await rootWithLostChild();
    const link = join(linkDirectory(layersPath(store.directory, "app"), config), "link");
    await rm(link);
    await mkdir(link);

    const { exitCode } = await regwarden(["repair", root, "--apply"]);

    expect(exitCode).toBe(3);
    expect(await readdir(link)).toEqual([]);
  });

  test("waits for nobody: a second repair is refused while one is at work, and takes over from a dead one", async () => {
    const { root, store } = await rootWithLostChild();
    const lock = join(store.directory, "_regwarden", "lock");
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    const stat = await readFile("/proc/self/stat", "utf8");
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    const namespace = await readlink("/proc/self/ns/pid");
    const holder = { pid: process.pid, started, boot, namespace, host: "here", since: "now" };
    await store.put(lock, JSON.stringify(holder));

    const refused = await regwarden(["repair", root, "--apply"]);
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain(`process ${process.pid} on here since now holds ${lock}`);
    expect((await regwarden(["repair", root])).exitCode).toBe(1);

    await store.put(lock, JSON.stringify({ ...holder, started: "1" }));
    expect((await regwarden(["repair", root, "--apply"])).exitCode).toBe(0);
    await expect(readFile(lock)).rejects.toThrow("ENOENT");
  });
});

describe("an undo", () => {
  async function repaired() {
    const before = await rootWithLostChild();
    const { report } = await repair(before.root, "--apply");
    return { ...before, journal: report.journal ?? "" };
  }
  const undo = (root: string, journal: string, ...flags: string[]): Promise<Outcome> =>
    regwarden(["repair", root, "--undo", journal, ...flags]);

  test("is a dry run by default", async () => {
    const { root, journal } = await repaired();
    const before = await treeOf(root);
    const { exitCode, stdout } = await undo(root, join(journal, "journal.jsonl"));
    expect(exitCode).toBe(1);
    expect(stdout).toContain("take out of the store");
    expect(await treeOf(root)).toEqual(before);
  });

  test("leaves what somebody has changed since, and says so", async () => {
    const { root, store, manifest, journal } = await repaired();
    await writeFile(store.revisionLink("app", manifest), "something else");

    const { exitCode, stderr } = await undo(root, journal, "--apply");

    expect(exitCode).toBe(1);
    expect(stderr).toContain("has changed since the repair");
    expect(await readFile(store.revisionLink("app", manifest), "utf8")).toBe("something else");
  });

  test("refuses what is no journal, and a journal that leads out of the store", async () => {
    const { root, journal } = await repaired();
    const path = join(journal, "journal.jsonl");
    const lines = await readFile(path, "utf8");
    await writeFile(
      path,
      lines.replace("private/docker/registry/v2/", "private/docker/registry/v2/../../../../"),
    );
    expect(await undo(root, journal, "--apply")).toMatchObject({ exitCode: 3 });
    await writeFile(path, "{}\n");
    expect(await undo(root, journal, "--apply")).toMatchObject({ exitCode: 2 });
    expect(await undo(root, join(root, "nowhere"))).toMatchObject({ exitCode: 2 });
  });

  test("takes no options of a repair", async () => {
    const { root, journal } = await repaired();
    const { exitCode, stderr } = await undo(root, journal, "--max-changes", "5");
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("--undo takes no --max-changes")]);
  });
});
