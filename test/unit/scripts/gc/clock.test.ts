import { existsSync } from "node:fs";
import { utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { GcPurgeReport } from "../../../../contract/gc-purge-report.ts";
import { logHead, logLine, writeLog } from "../../../support/access-log/access-log.ts";
import { gc, scan } from "../../../support/commands.ts";
import { imageDocument, rootWithDead, writeDeadImage } from "../../../support/gc/dead-store.ts";
import { startFreezeServer } from "../../../support/gc/freeze-server.ts";
import { timedTree } from "../../../support/gc/timed-tree.ts";
import { inUseDocument } from "../../../support/in-use-document.ts";
import { regwarden, temporaryDirectory, withReport } from "../../../support/program.ts";
import { realTime, setClock } from "../../../support/wrong-clock.ts";

/** Collections and purges of a machine whose clock is wrong; the times of files and what was recorded before are right. */

const hour = 3600 * 1000;
const day = 24 * hour;
const offline = ["--budget", "100%", "--offline", "--apply"];

afterEach(() => setClock(0));

async function root() {
  setClock(0);
  const made = await rootWithDead();
  return { ...made, tree: () => timedTree(join(made.store.directory, "docker")) };
}

describe.each([
  ["ahead", day + hour],
  ["behind", -day - hour],
])("with a clock that is a day %s", (direction, aheadMs) => {
  test("a collection that goes by earlier marks removes nothing before the time has really passed", async () => {
    const { root: directory, tree } = await root();
    const before = await tree();
    expect((await gc(directory)).report.registries[0]?.spared.notDeadLongEnough).toBe(13);
    setClock(aheadMs);
    const { exitCode, report } = await gc(directory, ...offline);
    expect([exitCode, report.run, report.complete]).toEqual([0, null, true]);
    setClock(0);
    expect((await gc(directory, ...offline)).report.run).toBeNull();
    expect(await tree()).toEqual(before);
  });

  test("a collection beside clients refuses, or keeps what they were told about before", async () => {
    const { root: directory, dead, store, tree } = await root();
    const before = await tree();
    const server = await startFreezeServer(await temporaryDirectory());
    const uri = `/v2/app/manifests/${dead.manifest}`;
    const told = logLine({ time: realTime() - 10 * 60_000, method: "HEAD", uri });
    const log = await writeLog({ "": logHead(realTime() - 4 * hour, null) + told });
    await gc(directory);
    setClock(aheadMs);
    const flags = ["--dead-for", "0s", "--budget", "100%", ...server.argv, "--access-log", log, "--apply"];
    const { exitCode, report, stderr } = await gc(directory, ...flags);
    if (direction === "behind") {
      expect([exitCode, report.run]).toEqual([3, null]);
      expect(report.registries[0]).toMatchObject({
        refusedFor: "touched",
        refused: expect.stringMatching(/^The access log holds every request since .* Nothing was removed/),
      });
      return expect(await tree()).toEqual(before);
    }
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      /^The clock was set forth by 1500 minutes since the last mark: the grace is longer/,
    );
    // The manifest, its configuration and its layer, as links and blobs.
    expect(report.registries[0]).toMatchObject({ spared: { touched: 6 }, removed: { blobs: 4 } });
    const kept = Object.values(dead).map((digest) => existsSync(store.blobData(digest)));
    expect(kept).toEqual([true, true, true]);
  });

  test("a list of the images in use is refused", async () => {
    const { root: directory, tree } = await root();
    const before = await tree();
    const list = join(await temporaryDirectory(), "in-use.json");
    const images = [{ repository: "app", tag: "1", digest: null, digests: [] }];
    await writeFile(list, JSON.stringify(inUseDocument({ images, now: realTime() })));
    setClock(aheadMs);
    const inUse = ["--in-use", list, "--instance", "registry.example:5050", "--dead-for", "0s"];
    for (const flags of [offline, ["--purge", "7d", "--apply"]]) {
      const { exitCode, stderr } = await regwarden(["gc", directory, ...inUse, ...flags]);
      expect(exitCode).toBe(3);
      expect(stderr).toMatch(
        direction === "ahead" ? /older than 24 hours/ : /in the future: one of the clocks/,
      );
    }
    expect(await tree()).toEqual(before);
  });

  test("what goes without an earlier mark is what no tag needs, and an undo brings it back", async () => {
    const { root: directory, store, tree } = await root();
    await writeDeadImage(store, "app", "pushed a moment ago, by its files");
    const before = await tree();
    setClock(aheadMs);
    const { exitCode, report } = await gc(directory, "--dead-for", "0s", ...offline);
    expect(exitCode).toBe(0);
    expect(report.proof).toMatchObject({ tags: 1, lost: [] });
    // To a clock that is behind, all that was written in the last day is young.
    expect(report.registries[0]?.spared.young).toBe(direction === "ahead" ? 0 : 6);
    setClock(0);
    expect((await scan(directory)).report.findings.filter(({ tags }) => tags.length > 0)).toEqual([]);
    const undo = await regwarden(["gc", directory, "--undo", report.run ?? "", "--apply"]);
    expect([undo.exitCode, undo.stderr]).toEqual([0, ""]);
    expect(await tree()).toEqual(before);
  });

  test("a purge puts back what is needed by now, and what stays is not older than it is", async () => {
    const { root: directory, store, dead } = await root();
    await gc(directory, "--dead-for", "0s", ...offline);
    // A tag that needs again what went: put there without the registry, which would have asked for it.
    await store.put(store.tagLink("app", "2"), dead.manifest);
    await store.put(store.tagHistoryLink("app", "2", dead.manifest), dead.manifest);
    setClock(aheadMs);
    const { exitCode, report } = withReport<GcPurgeReport>(
      await regwarden(["gc", directory, "--purge", "20h", "--apply", "--json"]),
    );
    const young = { decision: "young", putBack: [] };
    const needed = { decision: "needed" };
    expect(report.runs).toMatchObject([direction === "ahead" ? needed : young]);
    expect(exitCode).toBe(direction === "ahead" ? 1 : 0);
    setClock(0);
    await regwarden(["gc", directory, "--purge", "0s", "--apply"]);
    expect((await scan(directory)).report.findings.filter(({ tags }) => tags.includes("2"))).toEqual([]);
  });
});

test("a store that was written while the clock was a day ahead is young to the right clock, and stays", async () => {
  const { root: directory, store, paths } = await root();
  const config = await store.layer("app", '{"os":"linux","text":"future"}');
  const layer = await store.layer("app", "layer of future");
  const future = await store.manifest("app", imageDocument(config, layer, "future"));
  for (const path of [
    store.revisionLink("app", future),
    store.layerLink("app", config),
    store.layerLink("app", layer),
    ...[future, config, layer].map(store.blobData),
  ])
    for (const one of [path, dirname(path)])
      await utimes(one, (realTime() + day) / 1000, (realTime() + day) / 1000);
  const { exitCode, report } = await gc(directory, "--dead-for", "0s", ...offline);
  expect(exitCode).toBe(0);
  expect(report.registries[0]).toMatchObject({ spared: { young: 6 }, removed: { blobs: 7 } });
  expect(paths).toHaveLength(13);
});
