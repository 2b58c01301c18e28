import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Finding } from "../../contract/finding.ts";
import type { RepairChange } from "../../contract/repair-report.ts";
import { parseDigest } from "../../scripts/registry/digest.ts";
import {
  blobDataPath,
  layersPath,
  linkDirectory,
  revisionsPath,
  tagLinkPath,
} from "../../scripts/registry/paths.ts";
import { repair, scan } from "../support/commands.ts";
import { randomPushes, writePushes } from "../support/images/random-pushes.ts";
import { regwarden, temporaryDirectory } from "../support/program.ts";
import { brokenTags, findingKey } from "../support/registry/findings.ts";
import { corruptionsBy, corruptStore } from "../support/store/damage/corruptions.ts";
import { changedFiles, treeOf } from "../support/store/tree.ts";

async function findingsOf(root: string): Promise<readonly Finding[]> {
  return (await scan(root)).report.findings;
}

const ofPrivate = (findings: readonly Finding[]) => findings.filter(({ registry }) => registry === "private");

/** What can happen to files that stay files: a repair writes nothing in the place of a link or a directory. */
const damage = corruptionsBy(
  "remove",
  "remove directory",
  "truncate",
  "empty",
  "flip a bit",
  "append a newline",
  "upper case",
  "put in another's content",
  "name another algorithm",
);

/** The file that a change writes, from the data directory on. */
function fileOf({ kind, repository, tag, digest: text }: RepairChange): string {
  const digest = parseDigest(text);
  if (!digest) throw new Error(`${text} is no digest`);
  if (kind === "blob") return blobDataPath("", digest);
  if (kind === "tag-link") return tagLinkPath("", repository, tag ?? "");
  const base = kind === "layer-link" ? layersPath : revisionsPath;
  return join(linkDirectory(base("", repository), digest), "link");
}

test("A repair makes nothing worse, keeps its word, writes nothing else, and can be taken back", async () => {
  const root = await temporaryDirectory();
  const seen = { healed: 0, copied: 0, replaced: 0 };
  await fc.assert(
    fc.asyncProperty(
      randomPushes,
      damage,
      fc.option(damage, { nil: undefined }),
      fc.boolean(),
      async (pushes, damages, damagesOfCache, tagLinks) => {
        await rm(root, { recursive: true, force: true });
        const store = join(root, "private");
        await writePushes(store, pushes);
        if (damagesOfCache) await cp(store, join(root, "cache"), { recursive: true });
        corruptStore(store, damages);
        if (damagesOfCache) {
          corruptStore(join(root, "cache"), damagesOfCache);
          await writeFile(join(root, "cache", "scheduler-state.json"), "{}");
        }
        const [before, treeBefore] = [await findingsOf(root), await treeOf(root)];

        const flags = tagLinks ? ["--tag-links"] : [];
        const { report: planned } = await repair(root, ...flags);
        expect(await treeOf(root)).toEqual(treeBefore);
        const { report: applied } = await repair(root, "--apply", ...flags);

        expect(applied.changes).toEqual(planned.changes);
        expect(applied.outcome?.failures ?? []).toEqual([]);
        const after = await findingsOf(root);
        const known = new Set(before.map(findingKey));
        // A signature that can be read again shows that the image is gone that it is about.
        const fresh = after.filter(({ kind }) => kind !== "referrer");
        expect(fresh.filter((finding) => !known.has(findingKey(finding)))).toEqual([]);
        const brokenBefore = brokenTags(ofPrivate(before));
        const broken = brokenTags(ofPrivate(after));
        expect(broken.filter((tag) => !brokenBefore.includes(tag))).toEqual([]);
        const promised = applied.images.filter(({ completeAfterwards }) => completeAfterwards);
        for (const { repository, tag } of promised) expect(broken).not.toContain(`${repository}:${tag}`);
        const treeAfter = await treeOf(root);
        const own = changedFiles(treeBefore, treeAfter).filter((path) => !path.startsWith(".regwarden/"));
        expect(own.sort()).toEqual(applied.changes.map((change) => join("private", fileOf(change))).sort());
        expect((await repair(root, "--apply", ...flags)).report.changes).toEqual([]);

        if (applied.journal !== null) {
          const { exitCode } = await regwarden(["repair", root, "--undo", applied.journal, "--apply"]);
          // What could not be read before cannot be checked now.
          const isUnreadable = ofPrivate(before).some(({ cause }) => cause === "unreadable");
          expect(exitCode).toBe(isUnreadable ? 3 : 0);
          await rm(join(root, ".regwarden"), { recursive: true });
        }
        expect(await treeOf(root)).toEqual(treeBefore);
        seen.healed += promised.length;
        seen.copied += applied.changes.filter(({ kind }) => kind === "blob").length;
        seen.replaced += applied.changes.filter(({ replaces }) => replaces !== null).length;
      },
    ),
    { numRuns: 60 },
  );
  // A property that never met the case it is about would prove nothing.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
}, 300_000);
