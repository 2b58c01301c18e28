import { appendFile, mkdir, readFile, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Digest } from "../../scripts/registry/digest.ts";
import {
  amd64,
  arm64,
  blobOf,
  cosignTag,
  digest,
  docker,
  fallbackTag,
  inner,
  multi,
  proof,
  sign,
  signed,
} from "./damage-contents.ts";
import type { StoreFiles } from "./damaged-store.ts";
import type { Content } from "./oci-layout.ts";

/**
 * Every kind of damage to a store, with what the registry 2.8.3 itself answers and what scan and probe say. A row is one
 * damage to a fresh copy of the same store; whoever adds a witness adds a column.
 */

export interface Damage {
  readonly name: string;
  readonly damage: (files: StoreFiles) => Promise<unknown>;
  /** What a client would ask for, below `/v2/`. */
  readonly question: string;
  /** Status and, of 200, length. */
  readonly answer: string;
  /** Findings, one a line: repository, kind/cause, severity, tags, platform, remedy. */
  readonly scan: readonly string[];
  /** None where HTTP shows nothing. */
  readonly probe: readonly string[];
}

const remove = (path: string) => rm(path, { recursive: true });
const removeDirectory = (path: string) => remove(dirname(path));
const manifest = (repository: string, reference: string) => `${repository}/manifests/${reference}`;
const blob = (repository: string, of: Digest) => `${repository}/blobs/${of}`;
export const armLayer = blobOf(arm64, 1);
const armConfig = blobOf(arm64, 0);

/** A directory where a file should be. */
async function makeDirectory(path: string): Promise<void> {
  await remove(path);
  await mkdir(path);
}

/** Same length, other bytes. */
export async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

export const damages: readonly Damage[] = [
  {
    name: "nothing",
    damage: async () => {},
    question: manifest("app", "1"),
    answer: "200, 883 bytes",
    scan: [],
    probe: [],
  },
  {
    name: "a tag without a link",
    damage: (files) => remove(files.tag("app", "1")),
    question: manifest("app", "1"),
    answer: "404",
    scan: ["app: tag/link-missing critical 1 - rebuild"],
    probe: ["app: tag/link-missing critical 1 - rebuild"],
  },
  {
    name: "a tag with an empty link",
    damage: (files) => truncate(files.tag("app", "1")),
    question: manifest("app", "1"),
    answer: "500",
    scan: ["app: tag/link-invalid critical 1 - rebuild"],
    probe: ["app: tag/unreadable warning 1 - none"],
  },
  {
    name: "a tag whose link ends with a newline",
    damage: (files) => appendFile(files.tag("app", "1"), "\n"),
    question: manifest("app", "1"),
    answer: "500",
    scan: ["app: tag/link-invalid critical 1 - rebuild"],
    probe: ["app: tag/unreadable warning 1 - none"],
  },
  {
    name: "a tag whose link is a directory",
    damage: (files) => makeDirectory(files.tag("app", "1")),
    question: manifest("app", "1"),
    answer: "500",
    scan: ["app: tag/unreadable warning 1 - none"],
    probe: ["app: tag/unreadable warning 1 - none"],
  },
  {
    name: "a tag whose link leads in a circle",
    damage: async (files) => {
      await remove(files.tag("app", "1"));
      await symlink("link", files.tag("app", "1"));
    },
    question: manifest("app", "1"),
    answer: "500",
    scan: ["app: tag/unreadable warning 1 - none"],
    probe: ["app: tag/unreadable warning 1 - none"],
  },
  {
    name: "a tag that leads to a manifest that never was",
    damage: (files) => writeFile(files.tag("app", "1"), `sha256:${"0".repeat(64)}`),
    question: manifest("app", "1"),
    answer: "404",
    scan: ["app: manifest/link-missing critical 1 - rebuild"],
    probe: ["app: tag/link-missing critical 1 - rebuild"],
  },
  {
    name: "a file among the tags",
    damage: (files) => writeFile(dirname(dirname(files.tag("app", "stray"))), ""),
    question: manifest("app", "stray"),
    answer: "500",
    scan: ["app: tag/link-missing critical stray - rebuild"],
    probe: ["app: tag/unreadable warning stray - none"],
  },
  {
    name: "an index without a revision link",
    damage: (files) => removeDirectory(files.revision("app", digest(multi))),
    question: manifest("app", digest(multi)),
    answer: "404",
    scan: ["app: manifest/link-missing critical 1 latest - relink"],
    probe: ["app: tag/link-missing critical 1 - rebuild", "app: tag/link-missing critical latest - rebuild"],
  },
  {
    name: "an index whose blob is gone",
    damage: (files) => removeDirectory(files.blob(digest(multi))),
    question: manifest("app", "1"),
    answer: "404",
    scan: ["app: manifest/blob-missing critical 1 latest - rebuild"],
    probe: ["app: tag/link-missing critical 1 - rebuild", "app: tag/link-missing critical latest - rebuild"],
  },
  {
    name: "an index that is empty",
    damage: (files) => truncate(files.blob(digest(multi))),
    question: manifest("app", "1"),
    answer: "500",
    scan: ["app: manifest/blob-empty critical 1 latest - rebuild"],
    probe: ["app: tag/unreadable warning 1 - none", "app: tag/unreadable warning latest - none"],
  },
  {
    name: "a child without a revision link",
    damage: (files) => removeDirectory(files.revision("app", digest(arm64))),
    question: manifest("app", digest(arm64)),
    answer: "404",
    scan: ["app: index-child/link-missing critical 1 latest linux/arm64/v8 relink"],
    probe: ["app: index-child/link-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a child without a revision link that an old layer link still serves",
    damage: async (files) => {
      await removeDirectory(files.revision("app", digest(arm64)));
      await mkdir(dirname(files.layer("app", digest(arm64))), { recursive: true });
      await writeFile(files.layer("app", digest(arm64)), digest(arm64));
    },
    question: manifest("app", digest(arm64)),
    answer: "200, 397 bytes",
    scan: [],
    probe: [],
  },
  {
    name: "a child whose link leads to another manifest",
    damage: (files) => writeFile(files.revision("app", digest(arm64)), digest(amd64)),
    question: manifest("app", digest(arm64)),
    answer: "200, 397 bytes",
    scan: ["app: manifest/link-invalid critical 1 latest linux/arm64/v8 relink"],
    probe: ["app: index-child/digest-mismatch critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a child whose link names another algorithm",
    damage: (files) => writeFile(files.revision("app", digest(arm64)), `md5:${"0".repeat(32)}`),
    question: manifest("app", digest(arm64)),
    answer: "500",
    scan: ["app: manifest/link-invalid critical 1 latest linux/arm64/v8 relink"],
    probe: ["app: index-child/unreadable warning 1 latest linux/arm64/v8 none"],
  },
  {
    name: "a child whose blob is gone, the link is there",
    damage: (files) => removeDirectory(files.blob(digest(arm64))),
    question: manifest("app", digest(arm64)),
    answer: "404",
    scan: ["app: manifest/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
    probe: ["app: index-child/link-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a child that is cut short",
    damage: (files) => truncate(files.blob(digest(arm64)), 100),
    question: manifest("app", digest(arm64)),
    answer: "500",
    scan: ["app: manifest/digest-mismatch critical 1 latest linux/arm64/v8 rebuild"],
    probe: ["app: index-child/unreadable warning 1 latest linux/arm64/v8 none"],
  },
  {
    name: "a child with a changed byte",
    damage: (files) => flipByte(files.blob(digest(arm64))),
    question: manifest("app", digest(arm64)),
    answer: "500",
    scan: ["app: manifest/digest-mismatch critical 1 latest linux/arm64/v8 rebuild"],
    probe: ["app: index-child/unreadable warning 1 latest linux/arm64/v8 none"],
  },
  {
    name: "a child that says something else and is good JSON",
    damage: (files) => writeFile(files.blob(digest(arm64)), amd64.bytes),
    question: manifest("app", digest(arm64)),
    answer: "200, 397 bytes",
    scan: ["app: manifest/digest-mismatch critical 1 latest linux/arm64/v8 rebuild"],
    probe: ["app: index-child/digest-mismatch critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a child of two gigabytes",
    damage: (files) => truncate(files.blob(digest(arm64)), 2 * 1024 ** 3),
    question: manifest("app", digest(arm64)),
    answer: "500",
    scan: ["app: manifest/unreadable warning 1 latest linux/arm64/v8 none"],
    probe: ["app: index-child/unreadable warning 1 latest linux/arm64/v8 none"],
  },
  {
    name: "a child that is a directory",
    damage: (files) => makeDirectory(files.blob(digest(arm64))),
    question: manifest("app", digest(arm64)),
    answer: "404",
    scan: ["app: manifest/unreadable warning 1 latest linux/arm64/v8 none"],
    probe: ["app: index-child/link-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "an attestation without a revision link",
    damage: (files) => removeDirectory(files.revision("app", digest(proof))),
    question: manifest("app", digest(proof)),
    answer: "404",
    scan: ["app: index-child/link-missing warning 1 latest unknown/unknown relink"],
    probe: ["app: index-child/link-missing warning 1 latest unknown/unknown rebuild"],
  },
  {
    name: "a child that two repositories share, lost in one",
    damage: (files) => removeDirectory(files.revision("plain", digest(amd64))),
    question: manifest("plain", digest(amd64)),
    answer: "404",
    scan: ["plain: index-child/link-missing critical 1 linux/amd64 relink"],
    probe: ["plain: index-child/link-missing critical 1 linux/amd64 rebuild"],
  },
  {
    name: "a child that two repositories share, its blob gone",
    damage: (files) => removeDirectory(files.blob(digest(amd64))),
    question: manifest("plain", digest(amd64)),
    answer: "404",
    scan: [
      "app: manifest/blob-missing critical 1 latest single linux/amd64 rebuild",
      "plain: manifest/blob-missing critical 1 linux/amd64 rebuild",
    ],
    probe: [
      "app: index-child/link-missing critical 1 latest linux/amd64 rebuild",
      "app: tag/link-missing critical single - rebuild",
      "plain: index-child/link-missing critical 1 linux/amd64 rebuild",
    ],
  },
  {
    name: "the child of a Docker list",
    damage: (files) => removeDirectory(files.revision("list", digest(docker))),
    question: manifest("list", digest(docker)),
    answer: "404",
    scan: ["list: index-child/link-missing critical 1 linux/amd64 relink"],
    probe: ["list: index-child/link-missing critical 1 linux/amd64 rebuild"],
  },
  {
    name: "an index inside an index",
    damage: (files) => removeDirectory(files.revision("nested", digest(inner))),
    question: manifest("nested", digest(inner)),
    answer: "404",
    scan: ["nested: index-child/link-missing critical 1 - relink"],
    probe: ["nested: index-child/link-missing critical 1 - rebuild"],
  },
  {
    name: "a child of an index inside an index",
    damage: (files) => removeDirectory(files.revision("nested", digest(inner.parts[0] as Content))),
    question: manifest("nested", digest(inner.parts[0] as Content)),
    answer: "404",
    scan: ["nested: index-child/link-missing critical 1 linux/amd64 relink"],
    probe: ["nested: index-child/link-missing critical 1 linux/amd64 rebuild"],
  },
  {
    name: "a configuration that is gone",
    damage: (files) => removeDirectory(files.blob(armConfig)),
    question: blob("app", armConfig),
    answer: "404",
    scan: ["app: config/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
    probe: ["app: config/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a configuration without a layer link",
    damage: (files) => removeDirectory(files.layer("app", armConfig)),
    question: blob("app", armConfig),
    answer: "404",
    scan: ["app: layer-link/link-missing critical 1 latest linux/arm64/v8 relink"],
    probe: ["app: config/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer that is gone",
    damage: (files) => removeDirectory(files.blob(armLayer)),
    question: blob("app", armLayer),
    answer: "404",
    scan: ["app: layer/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
    probe: ["app: layer/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer without a layer link",
    damage: (files) => removeDirectory(files.layer("app", armLayer)),
    question: blob("app", armLayer),
    answer: "404",
    scan: ["app: layer-link/link-missing critical 1 latest linux/arm64/v8 relink"],
    probe: ["app: layer/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer whose link and blob are gone",
    damage: async (files) => {
      await removeDirectory(files.layer("app", armLayer));
      await removeDirectory(files.blob(armLayer));
    },
    question: blob("app", armLayer),
    answer: "404",
    scan: ["app: layer/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
    probe: ["app: layer/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer whose link ends with a newline",
    damage: (files) => appendFile(files.layer("app", armLayer), "\n"),
    question: blob("app", armLayer),
    answer: "500",
    scan: ["app: layer-link/link-invalid critical 1 latest linux/arm64/v8 relink"],
    probe: ["app: layer/unreadable warning 1 latest linux/arm64/v8 none"],
  },
  {
    name: "a layer that is empty",
    damage: (files) => truncate(files.blob(armLayer)),
    question: blob("app", armLayer),
    answer: "200, 0 bytes",
    scan: ["app: layer/blob-empty critical 1 latest linux/arm64/v8 rebuild"],
    probe: ["app: layer/blob-empty critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer that is cut short",
    damage: (files) => truncate(files.blob(armLayer), 7),
    question: blob("app", armLayer),
    answer: "200, 7 bytes",
    scan: ["app: layer/size-mismatch critical 1 latest linux/arm64/v8 rebuild"],
    probe: ["app: layer/size-mismatch critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer that is a directory",
    damage: (files) => makeDirectory(files.blob(armLayer)),
    question: blob("app", armLayer),
    answer: "404",
    scan: ["app: layer/unreadable warning 1 latest linux/arm64/v8 none"],
    probe: ["app: layer/blob-missing critical 1 latest linux/arm64/v8 rebuild"],
  },
  {
    name: "a layer of the attestation that is gone",
    damage: (files) => removeDirectory(files.blob(blobOf(proof, 1))),
    question: blob("app", blobOf(proof, 1)),
    answer: "404",
    scan: ["app: layer/blob-missing warning 1 latest unknown/unknown rebuild"],
    probe: ["app: layer/blob-missing warning 1 latest unknown/unknown rebuild"],
  },
  {
    name: "a signature's payload that is gone",
    damage: (files) => removeDirectory(files.blob(blobOf(sign, 1))),
    question: blob("signed", blobOf(sign, 1)),
    answer: "404",
    scan: [`signed: layer/blob-missing warning ${fallbackTag} ${cosignTag} - rebuild`],
    probe: [`signed: layer/blob-missing warning ${fallbackTag} ${cosignTag} - rebuild`],
  },
  {
    name: "a signature whose subject is gone with its tag",
    damage: async (files) => {
      await remove(dirname(dirname(files.tag("signed", "1"))));
      await removeDirectory(files.revision("signed", digest(signed)));
    },
    question: manifest("signed", digest(signed)),
    answer: "404",
    scan: [`signed: referrer/subject-missing warning ${fallbackTag} ${cosignTag} - none`],
    probe: [],
  },
  {
    name: "an upload that was given up",
    damage: async (files) => {
      const directory = `${files.directory}/docker/registry/v2/repositories/app/_uploads/0b2f`;
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
