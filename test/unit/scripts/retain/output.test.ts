import { join } from "node:path";
import { expect, test } from "vitest";
import { image } from "../../../support/images/oci-content.ts";
import { regwarden } from "../../../support/program.ts";
import { setPushTime, writeRules } from "../../../support/store/retained-store.ts";
import { privateStore } from "../../../support/store/store.ts";

const day = 24 * 3600 * 1000;

/** Four repositories of three tags each, and rules for them. */
async function rootWithTags(keep: object) {
  const { root, store } = await privateStore();
  for (const repository of ["ci/a", "ci/b", "ci/c", "ci/d"])
    for (const [number, tag] of ["1", "2", "3"].entries()) {
      await store.push(repository, image(`${repository}:${tag}`, "linux/amd64"), tag);
      await setPushTime(store, repository, tag, Date.now() - (9 - number) * day);
    }
  const rules = await writeRules(root, [{ repositories: ["ci/*"], keep }]);
  const retain = (...argv: string[]) => regwarden(["retain", root, ...argv]);
  return { root, store, rules, retain };
}

test("says once what is missing that rules need, and how many repositories keep their tags for it", async () => {
  const { rules, retain } = await rootWithTags({ inUse: true });
  const { exitCode, stdout } = await retain("--rules", rules);
  expect(exitCode).toBe(3);
  expect(stdout.match(/^refused .*$/gm)).toEqual([
    "refused  private (in use unknown, 12 tags of 4 repositories stay): No list of images in use is given: --in-use FILE.",
  ]);
});

test("does not promise to remove what the budget keeps", async () => {
  const { rules, retain } = await rootWithTags({ newest: 1 });
  const over = await retain("--rules", rules);
  expect(over.exitCode).toBe(1);
  expect(over.stdout).toMatch(
    /add: --max-removed 67%\nNo tag goes; 8 stay for the budget, 4 kept, 0 undecided\.\n$/,
  );
  const flags = ["--rules", rules, "--max-removed", "100%", "--max-removed-of-repository", "50%"];
  expect((await retain(...flags, "--apply")).stdout).toMatch(/0 of 0 tags moved out of the store, 8 stay/);
});

test("names the runs that there are where one is asked for that is not", async () => {
  const { rules, retain } = await rootWithTags({ newest: 1 });
  await retain("--rules", rules, "--max-removed", "100%", "--apply");
  const { exitCode, stderr } = await retain("--undo", "none");
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/There is no run none in .*; found \d{8}T\d{6}\.\d{3}Z\./);
});

test("says what a purge and an undo would do, and what to type", async () => {
  const { root, rules, retain } = await rootWithTags({ newest: 1 });
  await retain("--rules", rules, "--max-removed", "100%", "--apply");
  const young = await retain("--purge", "7d");
  expect([young.exitCode, young.stdout]).toEqual([
    0,
    expect.stringMatching(/8 {2}stays: younger than the age\n$/),
  ]);
  const purge = await retain("--purge", "0s");
  expect([purge.exitCode, purge.stdout]).toEqual([
    1,
    expect.stringMatching(
      /8 {2}would be removed\nNothing was changed\. To do this, the same command with --apply/,
    ),
  ]);
  const [run = ""] = purge.stdout.match(/\d{8}T\d{6}\.\d{3}Z/) ?? [];
  const undo = await retain("--undo", run);
  expect([undo.exitCode, undo.stdout]).toEqual([
    1,
    expect.stringMatching(/8 tags would be back\. Nothing was changed/),
  ]);
  expect((await retain("--undo", join(root, ".regwarden", "retained", run), "--apply")).exitCode).toBe(0);
});
