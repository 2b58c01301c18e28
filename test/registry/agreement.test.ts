import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Finding } from "../../contract/scan-report.ts";
import { corrupt, corruptions } from "../support/damage/corruptions.ts";
import { probeStore, scanStore } from "../support/findings.ts";
import { attestation, type Content, dockerList, image, index, signature } from "../support/oci-content.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { storeAt } from "../support/store.ts";

/** Stores that are tried; each costs a second where the registry answers 500, which probe asks three times. */
const runs = Number(process.env.REGWARDEN_PROPERTY_RUNS ?? 25);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.dispose());

const platforms = ["linux/amd64", "linux/arm64/v8", "windows/amd64"];
// Few texts, so that repositories and indexes share what they hold.
const images = fc
  .record({
    text: fc.constantFrom("a", "b", "c"),
    platform: fc.constantFrom(...platforms),
    generation: fc.constantFrom("oci" as const, "docker" as const),
  })
  .map(({ text, platform, generation }) => image(text, platform, generation));
const indexes = fc
  .tuple(fc.array(images, { minLength: 1, maxLength: 3 }), fc.boolean(), fc.boolean(), fc.boolean())
  .map(([children, isDocker, isAttested, saysMediaType]) => {
    if (isDocker) return dockerList(children);
    return index(isAttested ? [...children, ...children.map(attestation)] : children, { saysMediaType });
  });
const nested = fc.array(indexes, { minLength: 1, maxLength: 2 }).map((children) => index(children));
const signatures = images.map(signature);
const contents: fc.Arbitrary<Content> = fc.oneof(images, indexes, nested, signatures);
const stores = fc.array(
  fc
    .record({
      repository: fc.constantFrom("one", "two", "team/three"),
      tag: fc.constantFrom("1", "2", "latest"),
      content: contents,
    })
    .map((pushed) => ({ ...pushed, [fc.toStringMethod]: () => describePush(pushed) })),
  { minLength: 1, maxLength: 5 },
);

function describePush({
  repository,
  tag,
  content,
}: Record<"repository" | "tag", string> & { content: Content }) {
  const parts = content.parts.map(({ descriptor }) => descriptor.digest.slice(7, 15));
  return `${repository}:${tag} ${content.descriptor.digest.slice(7, 15)} [${parts}]`;
}

/** All tags of which anything is said, except what HTTP cannot show: uploads, and subjects that nobody asks for. */
function brokenTags(findings: readonly Finding[]): readonly string[] {
  const shown = findings.filter(({ kind }) => kind !== "referrer" && kind !== "upload");
  const tags = shown.flatMap(({ repository, tags }) => tags.map((tag) => `${repository}:${tag}`));
  return [...new Set(tags)].sort();
}

function filesBelow(directory: string): readonly string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name)).sort();
}

test("scan and probe agree on every tag of random stores with random damage", async () => {
  const directory = registry.directory;
  let broken = 0;
  await fc.assert(
    fc.asyncProperty(stores, fc.oneof(fc.constant([]), corruptions), async (store, damage) => {
      rmSync(join(directory, "docker"), { recursive: true, force: true });
      for (const { repository, tag, content } of store)
        await storeAt(directory).push(repository, content, tag);
      const files = filesBelow(directory);
      for (const one of damage) corrupt(files, one);
      const onDisk = brokenTags(await scanStore(directory));
      expect(brokenTags(await probeStore(registry.url))).toEqual(onDisk);
      if (damage.length === 0) expect(onDisk).toEqual([]);
      broken += onDisk.length;
    }),
    { numRuns: runs, ...(process.env.REGWARDEN_SEED && { seed: Number(process.env.REGWARDEN_SEED) }) },
  );
  expect(broken).toBeGreaterThan(0);
}, 600_000);
