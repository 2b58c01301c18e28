import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { countThings, planRegistry } from "../../../../scripts/gc/plan.ts";
import { image } from "../../../support/images/oci-content.ts";
import { markStore } from "../../../support/store/marks.ts";
import { privateStore } from "../../../support/store/store.ts";

/** A store with one image that a tag needs and one that none does: half of its blobs and links. */
async function halfDead() {
  const { store } = await privateStore();
  await store.push("app", image("kept", "linux/amd64"), "1");
  const gone = image("gone", "linux/arm64");
  await store.push("app", gone);
  return { store, gone };
}

test("a plan within its budget removes what is dead", async () => {
  const { store } = await halfDead();
  const plan = planRegistry(await markStore(store.directory), { share: 0.51 });
  expect(plan.refused).toBeNull();
  expect(countThings(plan.dead)).toEqual(plan.removed);
  expect(plan.removed).toMatchObject({ revisionLinks: 1, layerLinks: 2, blobs: 3 });
});

test("a plan over its budget removes nothing, and says what it would and what to type", async () => {
  const { store } = await halfDead();
  const plan = planRegistry(await markStore(store.directory), { share: 0.3 });
  expect(plan.dead).toEqual([]);
  expect(plan.removed.blobs).toBe(3);
  expect(plan.refused?.reason).toBe("budget");
  expect(plan.refused?.text).toMatch(/50 % of the links of app \(3 of 6\)/);
  expect(plan.refused?.text).toMatch(/--budget 51?%|--budget 50%/);
});

test("a plan over its budget names the three repositories that lose most, and counts the others", async () => {
  const { store } = await privateStore();
  for (let number = 0; number < 20; number += 1) {
    const repository = `team-${String(number).padStart(2, "0")}`;
    await store.push(repository, image(`kept ${number}`, "linux/amd64"), "1");
    // Of the last ones, more goes.
    for (let dead = 0; dead < (number < 17 ? 1 : 2); dead += 1)
      await store.push(repository, image(`dead ${number} ${dead}`, "linux/amd64"));
  }
  const { refused } = planRegistry(await markStore(store.directory), { share: 0.3 });
  expect(refused?.text).toMatch(/% of the blobs/);
  expect(refused?.text.match(/links of team-\d\d/g)).toEqual([
    "links of team-17",
    "links of team-18",
    "links of team-19",
  ]);
  expect(refused?.text).toMatch(/ and of 17 more repositories; at most 30 % are allowed/);
});

test("a damage that hides what is needed keeps all blobs, and is named", async () => {
  const { store } = await halfDead();
  const broken = await store.manifest("other", "{", "1");
  await rm(store.revisionLink("other", broken));
  const plan = planRegistry(await markStore(store.directory), { share: 1 });
  expect(plan.refused?.reason).toBe("damage");
  expect(plan.refused?.text).toContain(broken);
  expect(plan.dead.map(({ kind }) => kind)).not.toContain("blob");
});
