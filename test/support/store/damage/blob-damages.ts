import { appendFile, mkdir, truncate, utimes, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { digestOf } from "../../../../scripts/registry/digest.ts";
import { type Content, digest } from "../../images/oci-content.ts";
import { arm64, blobOf, cosignTag, fallbackTag, long, proof, sign, signed } from "./contents.ts";
import { blob, type Damage, makeDirectory, manifest, remove, removeDirectory } from "./damage.ts";

export const armLayer = blobOf(arm64, 1);
export const armConfig = blobOf(arm64, 0);
/** By its own digest, and by that under which the store keeps it. */
const longLayer = blobOf(long, 1);
const longData = digestOf((long.parts[1] as Content).bytes);

/** Damage to configurations and layers, signatures, uploads. */
export const blobDamages: readonly Damage[] = [
  {
    name: "a configuration that is gone",
    damage: (store) => removeDirectory(store.blobData(armConfig)),
    question: blob("app", armConfig),
    answer: "404",
    scan: ["app: config/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
    probe: ["app: config/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a configuration without a layer link",
    damage: (store) => removeDirectory(store.layerLink("app", armConfig)),
    question: blob("app", armConfig),
    answer: "404",
    scan: ["app: layer-link/link-missing critical 1 latest linux/arm64/v8 relink"],
    probe: ["app: config/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer that is gone",
    damage: (store) => removeDirectory(store.blobData(armLayer)),
    question: blob("app", armLayer),
    answer: "404",
    scan: ["app: layer/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
    probe: ["app: layer/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer without a layer link",
    damage: (store) => removeDirectory(store.layerLink("app", armLayer)),
    question: blob("app", armLayer),
    answer: "404",
    scan: ["app: layer-link/link-missing critical 1 latest linux/arm64/v8 relink"],
    probe: ["app: layer/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer whose link and blob are gone",
    damage: async (store) => {
      await removeDirectory(store.layerLink("app", armLayer));
      await removeDirectory(store.blobData(armLayer));
    },
    question: blob("app", armLayer),
    answer: "404",
    scan: ["app: layer/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
    probe: ["app: layer/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer whose link ends with a newline",
    damage: (store) => appendFile(store.layerLink("app", armLayer), "\n"),
    question: blob("app", armLayer),
    answer: "500",
    scan: ["app: layer-link/link-invalid critical 1 latest linux/arm64/v8 relink"],
    probe: ["app: layer/link-invalid critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer that is empty",
    damage: (store) => truncate(store.blobData(armLayer)),
    question: blob("app", armLayer),
    answer: "200, 0 bytes",
    scan: ["app: layer/blob-empty critical 1 latest linux/arm64/v8 rebuild"],
    probe: ["app: layer/blob-empty critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer that is cut short",
    damage: (store) => truncate(store.blobData(armLayer), 7),
    question: blob("app", armLayer),
    answer: "200, 7 bytes",
    scan: ["app: layer/size-mismatch critical 1 latest linux/arm64/v8 rebuild"],
    probe: ["app: layer/size-mismatch critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer that is a directory",
    damage: (store) => makeDirectory(store.blobData(armLayer)),
    question: blob("app", armLayer),
    answer: "404",
    scan: ["app: layer/unreadable warning 1 latest linux/arm64/v8 none"],
    probe: ["app: layer/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer pushed by another algorithm, without the link of the digest that the store keeps it by",
    damage: (store) => removeDirectory(store.layerLink("long", longData)),
    question: blob("long", longLayer),
    answer: "500",
    scan: ["long: layer-link/link-missing critical 1 - relink"],
    probe: ["long: layer/link-invalid critical 1 - rebuild"],
  },
  {
    name: "a layer pushed by another algorithm, without the link that leads there",
    damage: (store) => removeDirectory(store.layerLink("long", longLayer)),
    question: blob("long", longLayer),
    answer: "404",
    scan: ["long: layer/blob-missing critical 1 - rebuild"],
    probe: ["long: layer/blob-missing critical 1 - rebuild"],
  },
  {
    name: "a layer of the attestation that is gone",
    damage: (store) => removeDirectory(store.blobData(blobOf(proof, 1))),
    question: blob("app", blobOf(proof, 1)),
    answer: "404",
    scan: ["app: layer/blob-missing warning 1 latest unknown/unknown rebuild"],
    probe: ["app: layer/blob-missing warning 1 latest unknown/unknown rebuild"],
  },
  {
    name: "a signature's payload that is gone",
    damage: (store) => removeDirectory(store.blobData(blobOf(sign, 1))),
    question: blob("signed", blobOf(sign, 1)),
    answer: "404",
    scan: [`signed: layer/blob-missing warning ${fallbackTag} ${cosignTag} - rebuild`],
    probe: [`signed: layer/blob-missing warning ${fallbackTag} ${cosignTag} - rebuild`],
  },
  {
    name: "a signature whose subject is gone with its tag",
    damage: async (store) => {
      await remove(dirname(dirname(store.tagLink("signed", "1"))));
      await removeDirectory(store.revisionLink("signed", digest(signed)));
    },
    question: manifest("signed", digest(signed)),
    answer: "404",
    scan: [`signed: referrer/subject-missing warning ${fallbackTag} ${cosignTag} - none`],
    probe: [],
  },
  {
    name: "an upload that was given up",
    damage: async (store) => {
      const directory = `${store.directory}/docker/registry/v2/repositories/app/_uploads/0b2f`;
      await mkdir(directory);
      await writeFile(`${directory}/startedat`, "2020-01-01T00:00:00Z");
      await writeFile(`${directory}/data`, "abc");
      await utimes(`${directory}/data`, 1_577_900_000, 1_577_900_000);
    },
    question: manifest("app", "1"),
    answer: "200, 883 bytes",
    scan: ["app: upload/stale warning - none"],
    probe: [],
  },
];
