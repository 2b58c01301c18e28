import { rm } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RepairChange, RepairReport } from "../../contract/repair-report.ts";
import type { Finding } from "../../contract/scan-report.ts";
import { findingKey } from "../../scripts/graph/findings.ts";
import { parseDigest } from "../../scripts/registry/digest.ts";
import {
  blobDataPath,
  layersPath,
  linkDirectory,
  revisionsPath,
  tagLinkPath,
} from "../../scripts/registry/paths.ts";
import { scan } from "../support/commands.ts";
import { regwarden, temporaryDirectory } from "../support/program.ts";
import {
  copyStore,
  damageStore,
  randomDamages,
  randomRepositories,
  writeRandomStore,
} from "../support/random-store.ts";
import { changedFiles, treeOf } from "../support/tree.ts";

async function repair(...argv: string[]): Promise<RepairReport> {
  const { stdout, stderr } = await regwarden(["repair", ...argv, "--json"]);
  expect(stderr).toBe("");
  return JSON.parse(stdout) as RepairReport;
}

async function findingsOf(root: string): Promise<readonly Finding[]> {
  return (await scan(root)).report.findings;
}

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
      randomRepositories,
      randomDamages,
      fc.option(randomDamages, { nil: undefined }),
      fc.boolean(),
      async (repositories, damages, damagesOfCache, tagLinks) => {
        await rm(root, { recursive: true, force: true });
        const store = join(root, "private");
        await writeRandomStore(store, repositories);
        if (damagesOfCache) await copyStore(store, join(root, "cache"));
        await damageStore(store, damages);
        if (damagesOfCache) await damageStore(join(root, "cache"), damagesOfCache);
        const [before, treeBefore] = [await findingsOf(root), await treeOf(root)];

        const flags = tagLinks ? ["--tag-links"] : [];
        const planned = await repair(root, ...flags);
        expect(await treeOf(root)).toEqual(treeBefore);
        const applied = await repair(root, "--apply", ...flags);

        expect(applied.changes).toEqual(planned.changes);
        expect(applied.outcome?.failures ?? []).toEqual([]);
        const after = await findingsOf(root);
        const known = new Set(before.map(findingKey));
        expect(after.filter((finding) => !known.has(findingKey(finding)))).toEqual([]);
        const brokenBefore = brokenTags(before);
        expect([...brokenTags(after)].filter((tag) => !brokenBefore.has(tag))).toEqual([]);
        const promised = applied.images.filter(({ wholeAfterwards }) => wholeAfterwards);
        const broken = brokenTags(after);
        for (const { repository, tag } of promised) expect(broken).not.toContain(`${repository}:${tag}`);
        const treeAfter = await treeOf(root);
        const own = changedFiles(treeBefore, treeAfter).filter((path) => !path.startsWith("_regwarden/"));
        expect(own.sort()).toEqual(applied.changes.map((change) => join("private", fileOf(change))).sort());
        expect((await repair(root, "--apply", ...flags)).changes).toEqual([]);

        if (applied.journal !== null) {
          const { exitCode } = await regwarden(["repair", root, "--undo", applied.journal, "--apply"]);
          expect(exitCode).toBe(0);
          await rm(join(root, "_regwarden"), { recursive: true });
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
}, 120_000);

function brokenTags(findings: readonly Finding[]): ReadonlySet<string> {
  return new Set(
    findings
      .filter(({ registry }) => registry === "private")
      .flatMap(({ repository, tags }) => tags.map((tag) => `${repository}:${tag}`)),
  );
}
