import { rm } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RepairUndoReport } from "../../contract/repair-undo-report.ts";
import { runRepair } from "../../scripts/repair/main.ts";
import { createEffects } from "../../scripts/store-change/effects.ts";
import { repair } from "../support/commands.ts";
import { type Content, digest, image, signature } from "../support/images/oci-content.ts";
import { regwarden } from "../support/program.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { storeAt } from "../support/store/store.ts";

/** Two images with one layer and configurations of their own. */
const first = image("the layer of both", "linux/amd64");
const second = image("the layer of both", "linux/arm64");

describe("an undo of a repair, after a push", () => {
  let registry: Registry;
  let healthy: Registry;

  beforeEach(async () => {
    registry = await startRegistry();
    healthy = await startRegistry();
  });
  afterEach(async () => {
    await registry.dispose();
    await healthy.dispose();
  });

  const [config, layer] = first.parts as [Content, Content];
  const blobData = (content: Content) => storeAt(registry.directory).blobData(digest(content));
  const layerLink = (content: Content) => storeAt(registry.directory).layerLink("app", digest(content));
  const revisionLink = (content: Content) => storeAt(registry.directory).revisionLink("app", digest(content));
  const inStore = (path: string) => relative(registry.directory, path);

  /** `app:1` lost its configuration and its layer, with their links, and has them back. */
  async function repaired(): Promise<string> {
    for (const one of [registry, healthy]) await one.push(first, "app", "1");
    for (const part of [config, layer]) {
      await rm(dirname(blobData(part)), { recursive: true });
      await rm(dirname(layerLink(part)), { recursive: true });
    }
    const { exitCode, report } = await repair(registry.directory, "--from", healthy.url, "--apply");
    expect([exitCode, report.outcome?.made]).toEqual([0, 4]);
    return report.journal ?? "";
  }

  async function undo(journal: string, ...flags: string[]) {
    const argv = ["repair", registry.directory, "--undo", journal, "--json", ...flags];
    const { exitCode, stdout, stderr } = await regwarden(argv);
    expect(stderr).toBe("");
    return { exitCode, report: JSON.parse(stdout) as RepairUndoReport };
  }

  const kept = (report: RepairUndoReport) =>
    report.steps.filter(({ does }) => does === "keep").map(({ path, reason }) => [path, reason]);

  test("keeps a layer that an image pushed since needs, and takes the rest back", async () => {
    const journal = await repaired();
    // The registry answers that it has the layer, so the client does not send it again.
    await registry.push(second, "app", "2");

    const planned = await undo(journal);
    const applied = await undo(journal, "--apply");

    expect(planned.exitCode).toBe(1);
    expect(planned.report).toMatchObject({ schema: "regwarden/repair-undo/v1", journal, outcome: null });
    const reason = "app:2, pushed since, needs it";
    const paths = [inStore(layerLink(layer)), inStore(blobData(layer))].sort();
    expect(kept(planned.report).sort()).toEqual(paths.map((path) => [path, reason]));
    expect(applied.report.steps).toEqual(planned.report.steps);
    expect(applied.exitCode).toBe(1);
    expect(applied.report.outcome).toMatchObject({ exceptions: [], fresh: [] });
    await registry.pull("app", "2");
    await expect(registry.pull("app", "1")).rejects.toThrow();
  });

  test("keeps all of an image that was pushed again since", async () => {
    const journal = await repaired();
    await registry.upload(first, "app", "1");

    const { exitCode, report } = await undo(journal, "--apply");

    expect([exitCode, report.outcome]).toEqual([1, null]);
    // Links are written again by the push; the data was there.
    expect(report.steps.map(({ does }) => does).sort()).toEqual(["keep", "keep", "leave", "leave"]);
    await registry.pull("app", "1");
  });

  test("keeps a manifest that was signed since", async () => {
    const keeper = "keeper";
    await registry.push(first, keeper, "1");
    await registry.push(first, "app", "1");
    await rm(dirname(revisionLink(first)), { recursive: true });
    const { report } = await repair(registry.directory, "--apply");
    expect(report.changes.map(({ kind }) => kind)).toEqual(["revision-link"]);
    const sealed = signature(first);
    await registry.upload(sealed, "app");

    const { exitCode, report: undone } = await undo(report.journal ?? "", "--apply");

    expect(exitCode).toBe(1);
    expect(kept(undone)).toEqual([[inStore(revisionLink(first)), expect.stringContaining("pushed since")]]);
    await registry.pull("app", "1");
  });

  test("puts forward again what a push needs that came while the undo was at work", async () => {
    const journal = await repaired();
    let isPushed = false;
    const effects = createEffects(async (effect) => {
      if (effect !== "move" || isPushed) return;
      isPushed = true;
      await registry.push(second, "app", "2");
    });
    let stdout = "";
    const out = (text: string) => {
      stdout += text;
    };
    const terminal = { out, err: () => {}, isInteractive: false, readLine: async () => "" };
    const argv = [registry.directory, "--undo", journal, "--apply", "--json"];

    const exitCode = await runRepair(argv, terminal, effects);

    const { steps, outcome } = JSON.parse(stdout) as RepairUndoReport;
    expect(exitCode).toBe(1);
    expect(steps.map(({ does }) => does)).not.toContain("keep");
    const forward = [layerLink(layer), blobData(layer)].map(inStore).sort();
    expect(outcome?.exceptions.map(({ does }) => does)).toEqual(["put-forward", "put-forward"]);
    expect(outcome?.exceptions.map(({ path }) => path).sort()).toEqual(forward);
    expect(outcome?.fresh).toEqual([]);
    await registry.pull("app", "2");
  });

  test("can be undone in its turn", async () => {
    const journal = await repaired();
    const undone = await undo(journal, "--apply");
    expect(undone.exitCode).toBe(0);
    await expect(registry.pull("app", "1")).rejects.toThrow();

    const redone = await undo(undone.report.outcome?.journal ?? "", "--apply");

    expect(redone.exitCode).toBe(0);
    await registry.pull("app", "1");
    expect((await undo(journal, "--apply")).exitCode).toBe(0);
    await expect(registry.pull("app", "1")).rejects.toThrow();
  });
});
