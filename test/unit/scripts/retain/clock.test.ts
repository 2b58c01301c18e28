import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { decidedTags, retain } from "../../../support/commands.ts";
import { image } from "../../../support/images/oci-content.ts";
import { inUseDocument } from "../../../support/in-use-document.ts";
import { regwarden } from "../../../support/program.ts";
import { setPushTime, writeRules } from "../../../support/store/retained-store.ts";
import { privateStore } from "../../../support/store/store.ts";
import { treeOf } from "../../../support/store/tree.ts";
import { realTime, setClock } from "../../../support/wrong-clock.ts";

/** Retention and its purge on a machine whose clock is wrong; what was pushed before has right times. */

const hour = 3600 * 1000;
const day = 24 * hour;

afterEach(() => setClock(0));

/** Tags of ten minutes, ten days and forty days ago in two repositories. */
async function rootWithTags(keep: object) {
  const { root, store } = await privateStore();
  for (const repository of ["ci/a", "ci/b"])
    for (const [tag, ageMs] of [
      ["v3", hour / 6],
      ["v2", 10 * day],
      ["v1", 40 * day],
    ] as const) {
      await store.push(repository, image(`${repository}:${tag}`, "linux/amd64"), tag);
      await setPushTime(store, repository, tag, realTime() - ageMs);
    }
  const rules = await writeRules(root, [{ repositories: ["ci/*"], keep }]);
  const run = (...argv: string[]) =>
    retain(root, "--rules", rules, "--max-removed", "100%", "--apply", ...argv);
  return { root, run, tree: () => treeOf(store.directory) };
}

describe.each([
  ["ahead", day + hour],
  ["behind", -day - hour],
])("with a clock that is a day %s", (direction, aheadMs) => {
  test("the newest are those that were pushed last, or it is said that this is unknown", async () => {
    const { root, run, tree } = await rootWithTags({ newest: 1 });
    const before = await tree();
    setClock(aheadMs);
    const { exitCode, report } = await run();
    if (direction === "behind") {
      expect([exitCode, report.run]).toEqual([3, null]);
      expect(report.refused).toMatchObject([
        {
          repository: "ci/a",
          reason: "clock",
          tags: 2,
          text: expect.stringContaining("in the future: a clock is"),
        },
        { repository: "ci/b", reason: "clock", tags: 2 },
      ]);
    } else {
      expect([exitCode, decidedTags(report).keep]).toEqual([0, ["ci/a:v3", "ci/b:v3"]]);
      setClock(0);
      expect((await regwarden(["retain", root, "--undo", report.run ?? "", "--apply"])).exitCode).toBe(0);
    }
    expect(await tree()).toEqual(before);
  });

  test("no tag goes that was pushed well within the time of a rule", async () => {
    const { run } = await rootWithTags({ pushedWithin: "30d" });
    setClock(aheadMs);
    expect(decidedTags((await run()).report).drop).toEqual(["ci/a:v1", "ci/b:v1"]);
  });

  test("a list of the images in use keeps all that it may name", async () => {
    const { root, run, tree } = await rootWithTags({ inUse: true });
    const list = join(root, "in-use.json");
    const images = [{ repository: "ci/a", tag: "v3", digest: null, digests: [] }];
    await writeFile(list, JSON.stringify(inUseDocument({ images, now: realTime() })));
    const before = await tree();
    setClock(aheadMs);
    const { exitCode, report } = await run("--in-use", list, "--instance", "registry.example:5050");
    expect([exitCode, report.run]).toEqual([3, null]);
    expect(report.refused.map(({ reason, text }) => [reason, text])).toEqual(
      ["ci/a", "ci/b"].map(() => [
        "in-use",
        expect.stringMatching(direction === "ahead" ? /older than 24 hours/ : /in the future/),
      ]),
    );
    expect(await tree()).toEqual(before);
  });

  test("a purge of what is older than days leaves what was moved a moment ago, and an undo brings it back", async () => {
    const { root, run, tree } = await rootWithTags({ newest: 1 });
    const before = await tree();
    const { report } = await run();
    setClock(aheadMs);
    const purge = await regwarden(["retain", root, "--purge", "7d", "--apply"]);
    expect([purge.exitCode, purge.stdout]).toEqual([
      0,
      expect.stringMatching(/4 {2}stays: younger than the age/),
    ]);
    expect((await regwarden(["retain", root, "--undo", report.run ?? "", "--apply"])).exitCode).toBe(0);
    expect(await tree()).toEqual(before);
  });
});
