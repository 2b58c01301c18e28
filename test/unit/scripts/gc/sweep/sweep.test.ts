import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { rootWithDead } from "../../../../support/gc/dead-store.ts";
import { holdOf, sweepRoot } from "../../../../support/gc/sweep-root.ts";
import { treeOf } from "../../../../support/store/tree.ts";

const removed = new Map([
  ["private", { revisionLinks: 2, layerLinks: 4, blobs: 7, bytes: expect.any(Number) }],
]);

test("What is dead is moved into the quarantine, and everything else stays as it is", async () => {
  const { root, paths } = await rootWithDead();
  const before = await treeOf(join(root, "private", "docker"));
  const hold = holdOf();

  const outcome = await sweepRoot(root, { hold });

  expect(outcome).toMatchObject({ refused: null, freezeSeconds: 1.5, proof: { tags: 1, lost: [] } });
  expect(outcome.removed).toEqual(removed);
  expect(paths.filter((path) => existsSync(path))).toEqual([]);
  const after = await treeOf(join(root, "private", "docker"));
  const gone = [...before.keys()]
    .filter((path) => !after.has(path))
    .map((path) => join(root, "private", "docker", path));
  expect(gone.filter((path) => !paths.some((own) => path === own || path.startsWith(`${own}/`)))).toEqual([]);
  expect(hold.calls).toEqual(["begin", "verify", "verify", "end"]);
  const moved = await readdir(join(root, ".regwarden", "quarantine", outcome.run ?? "", "moved"));
  expect(moved).toHaveLength(paths.length);
});
