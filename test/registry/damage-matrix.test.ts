import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digest } from "../support/images/oci-content.ts";
import { inLines, probeStore, scanStore } from "../support/registry/findings.ts";
import { headOf, type Registry, startRegistry } from "../support/registry/registry.ts";
import { armLayer, blobDamages } from "../support/store/damage/blob-damages.ts";
import {
  amd64,
  arm64,
  contents,
  cosignTag,
  docker,
  fallbackTag,
  inner,
  multi,
  proof,
  sign,
} from "../support/store/damage/contents.ts";
import { flipByte } from "../support/store/damage/damage.ts";
import { manifestDamages } from "../support/store/damage/manifest-damages.ts";
import { keepStore, storeAt } from "../support/store/store.ts";

let registry: Registry;
let restore: () => Promise<void>;

beforeAll(async () => {
  registry = await startRegistry();
  for (const [repository, tag, content] of contents) await registry.upload(content, repository, tag);
  restore = await keepStore(registry.directory);
});
afterAll(() => registry.dispose());

describe("scan and probe say of a store with", () => {
  test.each([...manifestDamages, ...blobDamages])("$name: the registry answers $answer", async (row) => {
    try {
      await row.damage(storeAt(registry.directory));
      expect(await headOf(registry.url, row.question)).toBe(row.answer);
      expect(inLines(await scanStore(registry.directory))).toEqual(row.scan);
      expect(inLines(await probeStore(registry.url))).toEqual(row.probe);
    } finally {
      await restore();
    }
  });

  test("bytes that only a comparison with the digest shows: nothing, unless asked to compare", async () => {
    const pace = async () => {};
    const store = storeAt(registry.directory);
    try {
      await flipByte(store.blobData(armLayer));
      expect(await headOf(registry.url, `app/blobs/${armLayer}`)).toBe("200, 1024 bytes");
      expect(await scanStore(registry.directory)).toEqual([]);
      const configs = new Set(["config"] as const);
      expect(await scanStore(registry.directory, { verification: { roles: configs, pace } })).toEqual([]);
      const all = new Set(["config", "layer"] as const);
      expect(inLines(await scanStore(registry.directory, { verification: { roles: all, pace } }))).toEqual([
        "app: layer/digest-mismatch critical 1 latest linux/arm64/v8 rebuild",
      ]);
    } finally {
      await restore();
    }
  });
});

test("the collection of untagged manifests takes every child, nested, signed and shared, and both see all", async () => {
  try {
    await registry.collectGarbage("-m");
    const statuses = [
      ["app", multi, 200],
      ["app", arm64, 404],
      ["app", proof, 404],
      // A tag of its own saves a child, in its repository alone.
      ["app", amd64, 200],
      ["plain", amd64, 404],
      ["list", docker, 404],
      ["nested", inner, 404],
    ] as const;
    for (const [repository, content, status] of statuses)
      expect([digest(content), await registry.manifestStatus(repository, digest(content))]).toEqual([
        digest(content),
        status,
      ]);
    const child = "index-child/link-missing";
    const critical = (await scanStore(registry.directory)).filter(({ kind }) => kind === "index-child");
    const lost = [
      `app: ${child} critical 1 latest linux/arm64/v8 rebuild`,
      `app: ${child} warning 1 latest unknown/unknown rebuild`,
      `list: ${child} critical 1 linux/amd64 rebuild`,
      `nested: ${child} critical 1 - rebuild`,
      `nested: ${child} critical 1 linux/amd64 rebuild`,
      `plain: ${child} critical 1 linux/amd64 relink`,
    ];
    expect(inLines(critical)).toEqual(lost);
    // The tag of the signature itself saves it below the fallback index.
    expect(await registry.manifestStatus("signed", digest(sign))).toBe(200);
    // Nobody sees over HTTP what lies below a child that is not served.
    const seen = lost.filter((line) => line !== lost[4]).map((line) => line.replace("relink", "rebuild"));
    // Also without the flag, it takes what was pushed by another algorithm than the store's own.
    seen.push("long: layer/blob-missing critical 1 - rebuild");
    expect(inLines(await probeStore(registry.url))).toEqual(seen.sort());
  } finally {
    await restore();
  }
});

test("a signature that only a fallback tag names goes as well, which is a warning", async () => {
  try {
    const store = storeAt(registry.directory);
    await rm(dirname(dirname(store.tagLink("signed", cosignTag))), { recursive: true });
    await registry.collectGarbage("-m");
    expect(await registry.manifestStatus("signed", digest(sign))).toBe(404);
    const line = `signed: index-child/link-missing warning ${fallbackTag} - rebuild`;
    const ofSigned = (lines: readonly string[]) => lines.filter((one) => one.startsWith("signed: index"));
    expect(ofSigned(inLines(await scanStore(registry.directory)))).toEqual([line]);
    expect(ofSigned(inLines(await probeStore(registry.url)))).toEqual([line]);
  } finally {
    await restore();
  }
});
