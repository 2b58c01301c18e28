import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { GcReport } from "../../../../contract/gc-report.ts";
import { tagsPath } from "../../../../scripts/registry/paths.ts";
import { age } from "../../../support/gc/dead-store.ts";
import { timedTree } from "../../../support/gc/timed-tree.ts";
import { planHistory } from "../../../support/histories/history.ts";
import { type Action, type Model, tagsOf } from "../../../support/histories/model.ts";
import { randomHistories } from "../../../support/histories/random-history.ts";
import { digest, isManifest, withParts } from "../../../support/images/oci-content.ts";
import { regwarden, temporaryDirectory, withReport } from "../../../support/program.ts";
import { type Store, storeAt } from "../../../support/store/store.ts";

/** Random stores; more of them on request. */
const numRuns = Number(process.env.REGWARDEN_HISTORIES ?? 25);

/** Does in the files of a store what a registry would do. */
async function act(store: Store, action: Action): Promise<void> {
  const { repository } = action;
  if (action.act === "begin upload") return;
  if (action.act === "push")
    return void (await store.push(repository, action.content, ...(action.tag === null ? [] : [action.tag])));
  if (action.act === "push blobs") {
    for (const part of withParts(action.content)) if (!isManifest(part)) await store.push(repository, part);
    return;
  }
  if (action.act === "remove tag")
    return rm(join(tagsPath(store.directory, repository), action.tag), { recursive: true });
  await rm(store.revisionLink(repository, action.digest));
}

/** Every tag of a model is complete: links, manifests, blobs. */
function expectComplete(store: Store, model: Model): void {
  for (const { repository, tag, content } of tagsOf(model)) {
    expect(existsSync(store.tagLink(repository, tag))).toBe(true);
    for (const part of withParts(content)) {
      const link = isManifest(part) ? store.revisionLink : store.layerLink;
      expect(existsSync(link(repository, digest(part))), `${repository}:${tag} ${digest(part)}`).toBe(true);
      // What was pushed by another algorithm lies under its canonical digest.
      if (digest(part).startsWith("sha256:")) expect(existsSync(store.blobData(digest(part)))).toBe(true);
    }
  }
}

test("Of random stores every tag stays complete, and an undo brings back all that went", async () => {
  let removed = 0;
  const check = fc.asyncProperty(randomHistories, async (history) => {
    const root = join(await temporaryDirectory(), "root");
    const store = storeAt(join(root, "private"));
    await mkdir(store.directory, { recursive: true });
    const { actions, model } = planHistory(history);
    for (const action of actions) await act(store, action);
    await age(store.directory, 24 * 30);
    const tree = () => timedTree(join(store.directory, "docker"));
    const before = await tree();

    const argv = ["gc", root, "--json", "--dead-for", "0s", "--budget", "100%", "--offline", "--apply"];
    const { exitCode, report } = withReport<GcReport>(await regwarden(argv));

    expect([exitCode, report.proof?.lost ?? []]).toEqual([0, []]);
    expectComplete(store, model);
    removed += report.registries[0]?.removed.blobs ?? 0;
    if (report.run !== null) {
      const undo = await regwarden(["gc", root, "--undo", report.run, "--apply"]);
      expect(undo.exitCode).toBe(0);
    }
    expect(await tree()).toEqual(before);
  });
  await fc.assert(check, { numRuns });
  expect(removed).toBeGreaterThan(0);
}, 600_000);
