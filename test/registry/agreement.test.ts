import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { randomPushes, writePushes } from "../support/images/random-pushes.ts";
import { brokenTags, probeStore, scanStore } from "../support/registry/findings.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { corruptions, corruptStore } from "../support/store/damage/corruptions.ts";

/** Stores that are tried; each costs a second where the registry answers 500, which probe asks three times. */
const runs = Number(process.env.REGWARDEN_PROPERTY_RUNS ?? 25);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.dispose());

test("scan and probe agree on every tag of random stores with random damage", async () => {
  const directory = registry.directory;
  let broken = 0;
  await fc.assert(
    fc.asyncProperty(randomPushes, fc.oneof(fc.constant([]), corruptions), async (pushes, damage) => {
      rmSync(join(directory, "docker"), { recursive: true, force: true });
      await writePushes(directory, pushes);
      corruptStore(directory, damage);
      const onDisk = brokenTags(await scanStore(directory));
      expect(brokenTags(await probeStore(registry.url))).toEqual(onDisk);
      if (damage.length === 0) expect(onDisk).toEqual([]);
      broken += onDisk.length;
    }),
    { numRuns: runs },
  );
  expect(broken).toBeGreaterThan(0);
}, 600_000);
