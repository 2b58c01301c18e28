import { readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exitCodes } from "../../../../contract/exit-codes.ts";
import { linksOf, readStoreImage } from "../../../support/collection/ideal.ts";
import { peerCases } from "../../../support/collection/peers.ts";
import { gc } from "../../../support/commands.ts";
import { type Content, digest, isManifest } from "../../../support/images/oci-content.ts";
import { privateStore } from "../../../support/store/store.ts";
import { treeOf } from "../../../support/store/tree.ts";

const dayMs = 86_400_000;
const rules = ["--dead-for", "0s", "--overwritten", "0s", "--budget", "100%"];
const atOnce = ["--apply", "--offline"];

async function age(directory: string): Promise<void> {
  const then = new Date(Date.now() - 2 * dayMs);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }))
    await utimes(join(entry.parentPath, entry.name), then, then);
}

const digestOf = (one: Content | string) => (typeof one === "string" ? one : digest(one));

describe.each(["distribution", "Quay", "zot", "restic"])("a case of %s", (peer) => {
  const cases = peerCases.filter((one) => one.peer === peer);
  test.each(cases.map((one) => [`${one.name}: ${one.differs ?? one.asserts}`, one] as const))(
    "%s",
    async (_, { arrange, flags = [] }) => {
      const { root, store } = await privateStore();
      const { goes, unlinked = [], refused, later } = await arrange(store);
      await age(store.directory);
      const isPlan = flags.includes("plan");
      // A first mark finds what is dead; what happens then, the second one sees.
      await gc(root, ...rules);
      await later?.();
      const before = readStoreImage(store.directory);
      const links = linksOf(before);
      const tree = await treeOf(store.directory);
      const planned = await gc(root, ...rules);
      expect(planned.report.registries[0]?.removed.blobs).toEqual(
        isPlan ? expect.any(Number) : new Set(goes.map(digestOf)).size,
      );
      expect(await treeOf(store.directory)).toEqual(tree);
      const { report, exitCode } = isPlan ? planned : await gc(root, ...rules, ...atOnce);
      const after = readStoreImage(store.directory);
      const gone = [...before.blobs.keys()].filter((blob) => !after.blobs.has(blob));
      expect(gone.sort()).toEqual([...new Set(goes.map(digestOf))].sort());
      expect(report.registries[0]?.refusedFor ?? null).toBe(refused ?? null);
      const isChange = goes.length + unlinked.length > 0;
      if (isPlan || refused) expect(exitCode).toBe(exitCodes.findings);
      else expect(exitCode).toBe(exitCodes.clean);
      if (!isChange) expect(await treeOf(store.directory)).toEqual(tree);
      const left = linksOf(after);
      for (const [repository, content] of unlinked)
        expect(
          [...left].filter((path) =>
            path.includes(`/${repository}/_manifests/revisions/sha256/${digest(content).slice(7)}`),
          ),
        ).toEqual([]);
      const manifests = goes.flatMap((one) =>
        typeof one !== "string" && isManifest(one) ? [digest(one).slice(7)] : [],
      );
      expect([...left].filter((path) => manifests.some((hex) => path.endsWith(hex)))).toEqual([]);
      if (!isPlan && !refused) expect(report.registries[0]?.removed.blobs).toBe(gone.length);
      expect(links.size).toBeGreaterThanOrEqual(left.size);
    },
  );
});

test("what goes again is nothing: a case of Quay, Idempotent", async () => {
  for (const { arrange } of peerCases.filter(({ flags }) => !flags)) {
    const { root, store } = await privateStore();
    await arrange(store);
    await age(store.directory);
    await gc(root, ...rules, ...atOnce);
    const tree = await treeOf(store.directory);
    const { report } = await gc(root, ...rules, ...atOnce);
    expect([report.run, await treeOf(store.directory)]).toEqual([null, tree]);
  }
});

test("a store that refuses every move gives back no bytes: a case of Quay, StorageDeleteFailureReportsNoReclaimedBytes", async () => {
  const { root, store } = await privateStore();
  await store.layer("a", "orphan");
  await age(store.directory);
  await store.put(join(root, ".regwarden/quarantine"), "a file where the quarantine should be");
  const tree = await treeOf(store.directory);
  const { report, exitCode } = await gc(root, ...rules, ...atOnce);
  expect(exitCode).not.toBe(exitCodes.clean);
  expect(report?.registries[0]?.removed.bytes ?? 0).toBe(0);
  expect(await treeOf(store.directory)).toEqual(tree);
});
