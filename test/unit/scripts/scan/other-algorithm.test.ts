import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { digestOf } from "../../../../scripts/registry/digest.ts";
import { type Content, digest, image, imageOf, layer } from "../../../support/images/oci-content.ts";
import { inLines, scanStore } from "../../../support/registry/findings.ts";
import { flipByte } from "../../../support/store/damage/damage.ts";
import { privateStore } from "../../../support/store/store.ts";

const long = layer("long", "oci", "sha512");
const other = image("other", "linux/amd64");

async function storeWithBoth() {
  const { store } = await privateStore();
  await store.push("app", imageOf("linux/amd64", [long]), "long");
  await store.push("app", other, "other");
  return store;
}

const verification = { roles: new Set(["config", "layer"] as const), pace: async () => {} };
const findIn = async (directory: string) => inLines(await scanStore(directory, { verification }));

test("a layer that was pushed by another algorithm is found when its bytes are compared", async () => {
  const store = await storeWithBoth();
  expect(await findIn(store.directory)).toEqual([]);
  await flipByte(store.blobData(digestOf(long.bytes)));
  expect(await findIn(store.directory)).toEqual(["app: layer/digest-mismatch critical long - rebuild"]);
});

test("what its link leads to is compared with its own digest too", async () => {
  const store = await storeWithBoth();
  const otherLayer = digest(other.parts[1] as Content);
  await writeFile(store.layerLink("app", digest(long)), otherLayer);
  expect(await findIn(store.directory)).toEqual(["app: layer/digest-mismatch critical long - rebuild"]);
});
