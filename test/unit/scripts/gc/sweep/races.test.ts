import { existsSync } from "node:fs";
import { appendFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { touchesOf } from "../../../../../scripts/gc/sweep/touches.ts";
import { createEffects } from "../../../../../scripts/store-change/effects.ts";
import type { WriteFreeze } from "../../../../../scripts/write-freeze/write-freeze.ts";
import { scan } from "../../../../support/commands.ts";
import { imageDocument, rootWithDead } from "../../../../support/gc/dead-store.ts";
import { holdOf, sweepRoot } from "../../../../support/gc/sweep-root.ts";
import { temporaryDirectory } from "../../../../support/program.ts";

/** A log that is complete for a long time back, and a way to write to it as nginx does. */
async function accessLog() {
  const path = join(await temporaryDirectory(), "access.log");
  await writeFile(path, `${JSON.stringify({ begins: Date.now() / 1000 - 5 * 3600, follows: null })}\n`);
  const say = (method: string, uri: string, status: number) => {
    const line = { time: Date.now() / 1000, method, uri, status: String(status), agent: "client" };
    return appendFile(path, `${JSON.stringify(line)}\n`);
  };
  const touches = () => touchesOf([path], Date.now() - 2 * 3600 * 1000);
  return { say, touches };
}

type Made = Awaited<ReturnType<typeof rootWithDead>> & {
  readonly say: Awaited<ReturnType<typeof accessLog>>["say"];
};

interface Race {
  /** Before the collection begins, but after the things were written. */
  readonly before?: (made: Made) => Promise<void>;
  /** After the mark, before writes are held. */
  readonly marked?: (made: Made) => Promise<void>;
  /** Before the first thing is moved, while writes are held. */
  readonly moving?: (made: Made) => Promise<void>;
  /** After writes were let go on. */
  readonly released?: (made: Made) => Promise<void>;
}

/** Collects, with something happening meanwhile, and checks that a scan finds nothing. */
async function race({ before, marked, moving, released }: Race) {
  const log = await accessLog();
  const made: Made = { ...(await rootWithDead()), say: log.say };
  await before?.(made);
  const touches = await log.touches();
  let isDue = moving !== undefined;
  const effects = createEffects(async (effect, path) => {
    if (!isDue || effect !== "move" || !path.startsWith(made.store.directory)) return;
    isDue = false;
    await moving?.(made);
  });
  const given: Partial<WriteFreeze> = {
    begin: async () => marked?.(made),
    end: async () => {
      await released?.(made);
      return 0.5;
    },
  };
  const outcome = await sweepRoot(made.root, { touches, effects, hold: holdOf(given) });
  await touches.close();
  const { report } = await scan(made.root);
  expect(report.findings.filter(({ tags, kind }) => tags.length > 0 || kind === "layer-link")).toEqual([]);
  expect(outcome).toMatchObject({ refused: null });
  const isThere = (...digests: readonly string[]) =>
    digests.map((digest) => existsSync(made.store.blobData(digest as `sha256:${string}`)));
  return { ...made, outcome, isThere };
}

const retag = async ({ store, dead }: Made) =>
  void (await store.manifest("app", imageDocument(dead.config, dead.layer, "dead"), "again"));

describe("what a client needs by now is kept:", () => {
  test("a tag that was pushed between the mark and the freeze, with everything below it", async () => {
    const { dead, other, isThere, store } = await race({ marked: retag });
    expect(isThere(dead.manifest, dead.config, dead.layer)).toEqual([true, true, true]);
    expect(existsSync(store.layerLink("app", dead.layer))).toBe(true);
    expect(isThere(other.layer)).toEqual([false]);
  });

  test("a dead blob that another repository linked between the mark and the freeze", async () => {
    const { dead, isThere, store } = await race({
      marked: async ({ store, dead, say }) => {
        await store.put(store.layerLink("new", dead.layer), dead.layer);
        await say("POST", `/v2/new/blobs/uploads/?mount=${dead.layer}&from=app`, 201);
      },
    });
    expect(isThere(dead.layer)).toEqual([true]);
    expect(existsSync(store.layerLink("new", dead.layer))).toBe(true);
  });

  test("a blob of which a client was told by HEAD since the grace began", async () => {
    const { dead, isThere, store, outcome } = await race({
      before: ({ say, dead }) => say("HEAD", `/v2/app/blobs/${dead.layer}`, 200),
    });
    expect(isThere(dead.layer, dead.config)).toEqual([true, false]);
    expect(existsSync(store.layerLink("app", dead.layer))).toBe(true);
    expect(outcome.touched).toEqual(new Map([["private", 2]]));
  });

  test("a manifest of which a client was told, with everything that it needs", async () => {
    const { dead, isThere, store } = await race({
      before: ({ say, dead }) => say("HEAD", `/v2/app/manifests/${dead.manifest}`, 200),
    });
    expect(isThere(dead.manifest, dead.config, dead.layer)).toEqual([true, true, true]);
    expect(existsSync(store.revisionLink("app", dead.manifest))).toBe(true);
  });

  test.each(["moving", "released"] as const)(
    "a blob of which a client is told by HEAD (%s)",
    async (when) => {
      const { dead, isThere, store } = await race({
        [when]: ({ say, dead }: Made) => say("HEAD", `/v2/app/blobs/${dead.layer}`, 200),
      });
      expect(isThere(dead.layer, dead.config)).toEqual([true, false]);
      expect(existsSync(store.layerLink("app", dead.layer))).toBe(true);
    },
  );

  test("a dead blob on which an upload ends while things are moved", async () => {
    const { dead, isThere } = await race({
      moving: async ({ store, dead, say }) => {
        await store.put(store.layerLink("new", dead.layer), dead.layer);
        await say("PUT", `/v2/new/blobs/uploads/0a?digest=${dead.layer}`, 201);
      },
    });
    expect(isThere(dead.layer)).toEqual([true]);
  });

  test("what is mounted from another repository while things are moved", async () => {
    const { other, isThere } = await race({
      moving: async ({ store, other, say }) => {
        await store.put(store.layerLink("app", other.layer), other.layer);
        await say("POST", `/v2/app/blobs/uploads/?mount=${other.layer}&from=team/tool`, 201);
      },
    });
    expect(isThere(other.layer)).toEqual([true]);
  });

  test("a tag that came in spite of the freeze: the proof puts all of it back", async () => {
    const log = await accessLog();
    const made: Made = { ...(await rootWithDead()), say: log.say };
    const hold = holdOf({
      end: async () => {
        await made.store.put(made.store.tagLink("app", "late"), made.dead.manifest);
        return 1;
      },
    });
    const outcome = await sweepRoot(made.root, { hold });
    expect(outcome).toMatchObject({
      run: null,
      refused: { reason: "proof" },
      proof: { tags: 1, lost: ["private/app:late"] },
    });
    for (const path of made.paths) expect(existsSync(path)).toBe(true);
  });
});

test("A repository that vanishes while things are moved is no fault", async () => {
  const { dead, isThere, outcome } = await race({
    moving: ({ store }) =>
      rm(join(store.directory, "docker/registry/v2/repositories/team"), { recursive: true }),
  });
  expect(isThere(dead.layer)).toEqual([false]);
  expect(outcome.removed.get("private")).toMatchObject({ blobs: 7 });
});

test("A store that was complete before and loses a blob to another program gets all back, and the tag is named", async () => {
  const made = await rootWithDead();
  const hold = holdOf({
    end: async () => {
      await rm(dirname(made.store.blobData(made.kept.layer)), { recursive: true });
      return 1;
    },
  });
  const outcome = await sweepRoot(made.root, { hold });
  expect(outcome).toMatchObject({ refused: { reason: "proof" }, proof: { lost: ["private/app:1"] } });
  for (const path of made.paths) expect(existsSync(path)).toBe(true);
});
