import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { digest, image, signature } from "../../../support/images/oci-content.ts";
import { regwarden } from "../../../support/program.ts";
import { rootWithLostChild } from "../../../support/store/sample-stores.ts";

/** What a plan says is left, between its heading and the summary; undefined where the plan has no such part. */
async function leftIn(root: string): Promise<string | undefined> {
  const { exitCode, stdout } = await regwarden(["repair", root]);
  expect(exitCode).toBe(1);
  return /^Not repaired, .*:\n([\s\S]*)^Damaged images: /m.exec(stdout)?.[1];
}

test("a plan lists what it leaves: links that no image needs, and statements about images that are gone", async () => {
  const { root, store, manifest } = await rootWithLostChild();
  const unneeded = await store.layer("app", "no image needs it");
  await rm(store.blobData(unneeded));
  const gone = image("gone", "linux/amd64");
  await store.push("app", signature(gone), "signature");

  const left = await leftIn(root);

  expect(left).toContain(unneeded);
  expect(left).toContain(digest(gone));
  expect(left).toContain("(1)");
  // What the plan repairs, or a push must bring back, stands with its image.
  expect(left).not.toContain(manifest);
});

test("a plan that repairs all that was found says nothing of what is left", async () => {
  const { root } = await rootWithLostChild();
  expect(await leftIn(root)).toBeUndefined();
});

test("a plan does not list among what it leaves what only a push brings back", async () => {
  const { root, store, layer } = await rootWithLostChild();
  await rm(store.blobData(layer));
  expect((await leftIn(root)) ?? "").not.toContain(layer);
});
