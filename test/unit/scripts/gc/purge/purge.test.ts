import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { runGcPurge } from "../../../../../scripts/gc/purge/run-purge.ts";
import type { MarkOptions } from "../../../../../scripts/mark/mark.ts";
import { createEffects } from "../../../../../scripts/store-change/effects.ts";
import { imageDocument, markOptions, rootWithDead } from "../../../../support/gc/dead-store.ts";
import { recordingTerminal, sweepRoot } from "../../../../support/gc/sweep-root.ts";
import { timedTree } from "../../../../support/gc/timed-tree.ts";

function purge(
  root: string,
  {
    apply = true,
    ageMs = 0,
    mark = markOptions,
  }: { apply?: boolean; ageMs?: number; mark?: MarkOptions } = {},
) {
  const options = { directory: root, ageMs, apply, json: true, mark };
  return runGcPurge(options, recordingTerminal(), createEffects());
}

async function sweptRoot() {
  const made = await rootWithDead();
  const { run } = await sweepRoot(made.root);
  const quarantine = join(made.root, ".regwarden", "quarantine");
  return { ...made, run: run ?? "", quarantine, store: made.store };
}

test("A run that is old enough is removed for good, and the space that it took is reported", async () => {
  const { root, run, quarantine } = await sweptRoot();

  const { exitCode, report } = await purge(root);

  expect(exitCode).toBe(0);
  expect(report).toMatchObject({ applied: true, complete: true, problems: [] });
  expect(report.runs).toEqual([
    {
      name: run,
      begunAt: expect.any(String),
      decision: "purge",
      bytes: report.freedBytes,
      things: 13,
      putBack: [],
    },
  ]);
  expect(report.freedBytes).toBeGreaterThan(500);
  expect(await readdir(quarantine)).toEqual([]);
});

test("Without --apply nothing is removed, and one that is too young stays", async () => {
  const { root, quarantine } = await sweptRoot();
  const before = await timedTree(root);

  expect(await purge(root, { apply: false })).toMatchObject({
    exitCode: 1,
    report: { runs: [{ decision: "purge" }] },
  });
  expect(await purge(root, { ageMs: 3600_000 })).toMatchObject({
    exitCode: 0,
    report: { runs: [{ decision: "young" }], freedBytes: 0 },
  });

  expect(await timedTree(root)).toEqual(before);
  expect(await readdir(quarantine)).toHaveLength(1);
});

test("What a tag needs by now is put back with all that it needs, and its run is not purged", async () => {
  const { root, store, run, dead, other, quarantine } = await sweptRoot();
  // A manifest that was sent by a client which had been told that all of it exists.
  const document = imageDocument(dead.config, dead.layer, "dead");
  await store.manifest("app", document, "back");

  const { exitCode, report } = await purge(root);

  expect(exitCode).toBe(1);
  expect(report.runs).toMatchObject([{ name: run, decision: "needed" }]);
  const reasons = new Set(report.runs[0]?.putBack.map(({ reason }) => reason));
  expect([...reasons].join()).toContain("app:back");
  for (const path of [
    store.layerLink("app", dead.layer),
    store.blobData(dead.layer),
    store.blobData(dead.config),
  ])
    expect(existsSync(path)).toBe(true);
  expect(existsSync(store.blobData(other.layer))).toBe(false);
  expect(await readdir(quarantine)).toEqual([run]);
});

test("A manifest that runs somewhere is put back", async () => {
  const { root, store, dead } = await sweptRoot();

  const { exitCode } = await purge(root, { mark: { ...markOptions, inUse: new Set([dead.manifest]) } });

  expect(exitCode).toBe(1);
  expect(existsSync(store.revisionLink("app", dead.manifest))).toBe(true);
});

test("While a damaged manifest leaves open what the store needs, nothing is removed", async () => {
  const { root, store, quarantine, run } = await sweptRoot();
  const damaged = await store.manifest("app", "no manifest", "broken");
  expect(damaged).toContain("sha256:");

  const { exitCode, report } = await purge(root);

  expect(exitCode).toBe(1);
  expect(report.runs).toMatchObject([{ decision: "unknown" }]);
  expect(report.problems.join()).toContain("is no manifest");
  expect(await readdir(quarantine)).toEqual([run]);
});

test("A purge that was cut off is ended by the next, whatever the age", async () => {
  const { root, quarantine, run } = await sweptRoot();
  const cutOff = join(quarantine, "20200101T000000.000Z.purging", "moved");
  await mkdir(join(cutOff, "1"), { recursive: true });
  await writeFile(join(cutOff, "1", "data"), "twelve bytes");

  const { report } = await purge(root, { ageMs: 3600_000 });

  expect(report.freedBytes).toBe(12);
  expect(report.runs.map(({ decision }) => decision)).toEqual(["finish", "young"]);
  expect(await readdir(quarantine)).toEqual([run]);
});

test("What a collection moved that was cut off is put back and not purged", async () => {
  const { root, quarantine, run, paths } = await sweptRoot();
  const journal = join(quarantine, run, "journal.jsonl");
  const lines = (await import("node:fs")).readFileSync(journal, "utf8").trimEnd().split("\n");
  expect(lines.at(-1)).toContain('"did":"end"');
  await writeFile(journal, `${lines.slice(0, -1).join("\n")}\n`);

  const { exitCode, report } = await purge(root, { ageMs: 3600_000 });

  expect(exitCode).toBe(1);
  expect(report.runs).toMatchObject([{ decision: "cut-off" }]);
  for (const path of paths) expect(existsSync(path), dirname(path)).toBe(true);
});
