import { appendFile, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LedgerHead } from "../../../../scripts/mark/ledger.ts";
import { readLedger } from "../../../../scripts/mark/read-ledger.ts";
import type { Thing } from "../../../../scripts/mark/thing.ts";
import { writeLedger } from "../../../../scripts/mark/write-ledger.ts";
import { createEffects } from "../../../../scripts/store-change/effects.ts";
import { temporaryDirectory } from "../../../support/program.ts";
import { d } from "../../../support/store/facts.ts";
import { day, hour } from "../../../support/store/marks.ts";

const start = Date.parse("2026-11-01T02:40:00Z");
const head: LedgerHead = {
  schema: "regwarden/ledger/v1",
  registry: "private",
  store: "1 2",
  shard: "1/1",
  markedAt: start,
  boot: "a",
  uptimeSeconds: 1000,
};
const thing = { path: "/x", writtenAt: 0, unreachedSince: start - day };
const things: readonly Thing[] = [
  { ...thing, kind: "revision-link", repository: "app", digest: d("1") },
  { ...thing, kind: "layer-link", repository: "app", digest: d("2"), unreachedSince: start },
  { ...thing, kind: "blob", digest: d("2"), sizeBytes: 1 },
  { ...thing, kind: "blob", digest: `sha512:${"3".repeat(128)}`, sizeBytes: 1 },
];

async function written(given: readonly Thing[] = things) {
  const path = join(await temporaryDirectory(), ".regwarden", "ledger", "private.jsonl");
  await writeLedger(path, head, given, createEffects());
  return path;
}

/** A mark that begins some time after the one that wrote the ledger. */
const markAfter = (clockMs: number, upMs: number, boot = "a"): LedgerHead => ({
  ...head,
  boot,
  markedAt: start + clockMs,
  uptimeSeconds: boot === "a" ? head.uptimeSeconds + upMs / 1000 : upMs / 1000,
});

async function ages(path: string, now = markAfter(day, day)) {
  const read = await readLedger(path, now, now);
  if (read.state !== "read") throw new Error(read.why);
  return read.ages;
}

describe("a ledger that is read says since when things are unreached", () => {
  test("of links and blobs, whatever their algorithm", async () => {
    const read = await ages(await written());
    expect(Object.fromEntries(read.links("app") ?? [])).toEqual({
      [`revision-link ${d("1")}`]: start - day,
      [`layer-link ${d("2")}`]: start,
    });
    expect(read.links("other")).toBeUndefined();
    expect(read.blob(d("2"))).toBe(start - day);
    expect(read.blob(`sha512:${"3".repeat(128)}`)).toBe(start - day);
    expect(read.blob(d("1"))).toBeUndefined();
  });

  test("also of many thousands", async () => {
    const many = Array.from({ length: 2500 }, (_, number): Thing => {
      const digest = `sha256:${number.toString(16).padStart(64, "0")}` as const;
      return { ...thing, kind: "blob", digest, sizeBytes: 1 };
    });
    const read = await ages(await written(many));
    expect(many.every(({ digest }) => read.blob(digest) === start - day)).toBe(true);
  });

  test.each([
    ["a clock that was set back by a day", markAfter(-hour * 23, hour), start - 2 * day + hour],
    ["a clock that was set forth by a day", markAfter(25 * hour, hour), start],
    ["a start of the machine, before which nothing is sure", markAfter(day, hour, "b"), start - hour],
    ["a clock that was set forth and a start", markAfter(9 * day, hour, "b"), start + 8 * day - hour],
  ])("never for longer than was surely so: %s", async (_, now, since) => {
    const read = await ages(await written(), now);
    expect(read.blob(d("2"))).toBe(since);
    // It was so for a day at the last mark, and at this one for that day and what has surely gone by.
    expect(now.markedAt - since).toBeGreaterThanOrEqual(day);
    expect(now.markedAt - since).toBeLessThanOrEqual(day + hour);
  });

  test("and trusts no time that lies after its own mark", async () => {
    const future = things.map((one) => ({ ...one, unreachedSince: start + 100 * day }));
    const read = await ages(await written(future));
    expect(read.blob(d("2"))).toBe(start);
  });
});

describe("no ledger is used that is", () => {
  const use = async (path: string, own = markAfter(day, day)) => {
    const read = await readLedger(path, own, own);
    return read.state === "unusable" ? read.why : "read";
  };

  test("missing", async () => {
    expect(await use(join(await temporaryDirectory(), "none"))).toMatch(/not there/);
  });

  test("torn at any line, or within one", async () => {
    const path = await written();
    const text = await readFile(path, "latin1");
    const ends = [...text.matchAll(/\n/g)].map(({ index }) => index);
    for (const length of [0, 1, ...ends.slice(0, -1).flatMap((end) => [end - 3, end, end + 1])]) {
      await writeFile(path, text);
      await truncate(path, length);
      expect(await use(path)).toMatch(/torn/);
    }
  });

  test("altered, or longer than it was", async () => {
    const path = await written();
    const text = await readFile(path, "latin1");
    await writeFile(path, text.replace(String(start - day), String(start - 9 * day)));
    expect(await use(path)).toMatch(/altered/);
    await writeFile(path, text);
    await appendFile(path, `{"blobs":{"${d("7")}":0}}\n`);
    expect(await use(path)).toMatch(/altered/);
  });

  test.each([
    ["of another registry", { registry: "other" }, /registry private/],
    ["of another store under the same name", { store: "7 7" }, /another store/],
    ["of another shard", { shard: "1/16" }, /shard 1\/1/],
  ])("%s", async (_, own, why) => {
    expect(await use(await written(), { ...markAfter(day, day), ...own })).toMatch(why);
  });

  test("a directory, or of a later form", async () => {
    expect(await use(await temporaryDirectory())).toMatch(/cannot be read/);
    const path = await written();
    await writeFile(path, (await readFile(path, "latin1")).replace("ledger/v1", "ledger/v2"));
    expect(await use(path)).toMatch(/torn or altered/);
  });
});

test("a ledger is replaced as a whole, also where a run was killed before", async () => {
  const path = await written();
  await writeFile(`${path}.new`, "half of it");
  await writeLedger(path, head, [], createEffects());
  expect((await ages(path)).blob(d("2"))).toBeUndefined();
});

test("a ledger survives a kill at each change of the disk", async () => {
  const path = await written();
  for (let at = 0, isDone = false; !isDone; at += 1) {
    let count = 0;
    const killed = createEffects(() => {
      if (count++ === at) throw new Error("killed");
    });
    isDone = await writeLedger(path, head, things, killed).then(
      () => true,
      () => false,
    );
    expect((await ages(path)).blob(d("2"))).toBe(start - day);
  }
});
