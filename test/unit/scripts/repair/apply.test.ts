import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { layersPath, linkDirectory, repositoryPath } from "../../../../scripts/registry/paths.ts";
import { repair, scan } from "../../../support/commands.ts";
import { type Outcome, regwarden, temporaryDirectory } from "../../../support/program.ts";
import { rootWithLostChild, writeDamagedStore } from "../../../support/store/sample-stores.ts";
import { treeOf } from "../../../support/store/tree.ts";

describe("an applied plan", () => {
  test("prints the plan first, then what was done and what to type next", async () => {
    const root = await temporaryDirectory();
    await writeDamagedStore(root);

    const { stdout } = await regwarden(["repair", root, "--apply"]);

    expect(stdout.indexOf("to be done")).toBeLessThan(stdout.indexOf("Made 4 of 4 changes."));
    expect(stdout).toContain("docker restart registry-private");
    expect(stdout).toMatch(/To take it back: regwarden repair .* --undo .*.regwarden\/repair-/);
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

  test("neither replaces nor removes a directory under the name of a link", async () => {
    const { root, store, config } = await rootWithLostChild();
    const link = join(linkDirectory(layersPath(store.directory, "app"), config), "link");
    await rm(link);
    await mkdir(link);

    const { exitCode } = await regwarden(["repair", root, "--apply"]);

    expect(exitCode).toBe(3);
    expect(await readdir(link)).toEqual([]);
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

  test("leaves what was written since, and says so", async () => {
    const { root, store, manifest, journal } = await repaired();
    await writeFile(store.revisionLink("app", manifest), "something else");

    const { exitCode, stdout } = await undo(root, journal, "--apply");

    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^leave as it is .*: was written since$/m);
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
