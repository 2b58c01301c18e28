import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RetentionRule } from "../../../../contract/retention-rules.ts";
import type { InUseList } from "../../../../scripts/in-use-list/check-in-use.ts";
import { type Digest, digestOf } from "../../../../scripts/registry/digest.ts";
import { decideRepository, ignoredAgents } from "../../../../scripts/retain/decide.ts";
import type { ContentsOf, Evidence } from "../../../../scripts/retain/evidence.ts";
import type { Tag, UselessTag } from "../../../../scripts/retain/tag.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const now = Date.UTC(2026, 10, 22, 3);
const digest = (name: string): Digest => digestOf(Buffer.from(name));
const hex = (name: string) => digest(name).slice("sha256:".length);

/** A tag of a manifest of the same name, unless another is named. */
const tag = (name: string, ageMs: number, manifest = name): Tag => ({
  name,
  digest: digest(manifest),
  pushedAt: now - ageMs,
});
/** v1 is the oldest, a day each. */
const days = (count: number) =>
  Array.from({ length: count }, (_, index) => tag(`v${index + 1}`, (count - index) * day));

interface Given {
  readonly keep: RetentionRule["keep"];
  readonly rule?: Partial<RetentionRule>;
  readonly useless?: readonly UselessTag[];
  readonly evidence?: Partial<Evidence>;
  readonly contentsOf?: ContentsOf;
  readonly name?: string;
}

function decide(tags: readonly Tag[], given: Given) {
  const { keep, useless = [], evidence = {}, contentsOf = () => undefined, name = "ci/app" } = given;
  const rule = { number: 1, rule: { repositories: ["**"], keep, ...given.rule } };
  const all = { now, pulls: undefined, inUse: undefined, ...evidence };
  const { decisions } = decideRepository({ name, tags, useless }, rule, all, contentsOf);
  return Object.fromEntries(decisions.map((one) => [one.name, one]));
}

/** `keep newest`, `drop rule` and so on, by tag. */
function short(tags: readonly Tag[], given: Given) {
  const decisions = decide(tags, given);
  return Object.fromEntries(
    Object.entries(decisions).map(([name, { decision, by }]) => [name, `${decision} ${by}`]),
  );
}

const pulls = (times: Record<string, number>, since = now - 60 * day): Evidence["pulls"] => ({
  repositories: new Map([["ci/app", new Map(Object.entries(times))]]),
  coverage: { since, until: now, reason: "" },
});
const used = (tags: readonly string[], digests: readonly Digest[] = []): InUseList => ({
  state: "usable",
  readAt: now,
  repositories: new Map([["ci/app", { tags: new Set(tags), digests: new Set(digests) }]]),
});

describe("a tag stays", () => {
  test("as one of the newest, by its last push", () => {
    expect(short(days(3), { keep: { newest: 2 } })).toEqual({
      v3: "keep newest",
      v2: "keep newest",
      v1: "drop rule",
    });
  });

  test("as one of the newest of those that match", () => {
    const tags = [...days(2), tag("pr-1", 9 * day), tag("pr-2", 8 * day)];
    expect(
      short(tags, {
        keep: {
          newestOf: [
            { tags: ["pr-*"], count: 1 },
            { tags: ["v*"], count: 1 },
          ],
        },
      }),
    ).toEqual({
      v2: "keep newestOf",
      v1: "drop rule",
      "pr-2": "keep newestOf",
      "pr-1": "drop rule",
    });
  });

  test("when it was pushed within a time, to the millisecond", () => {
    const tags = [tag("in", day), tag("out", day + 1)];
    expect(short(tags, { keep: { pushedWithin: "1d" } })).toEqual({
      in: "keep pushedWithin",
      out: "drop rule",
    });
  });

  test("when its name, or its manifest by digest, or one below it was pulled within a time", () => {
    const tags = [
      tag("name", 90 * day),
      tag("digest", 80 * day),
      tag("index", 70 * day),
      tag("old", 60 * day),
      tag("never", 50 * day),
    ];
    const evidence = {
      pulls: pulls({
        name: now - 7 * day,
        [digest("digest")]: now - day,
        [digest("child")]: now,
        old: now - 7 * day - 1,
      }),
    };
    const contentsOf: ContentsOf = (of) =>
      of === digest("index")
        ? { about: new Set([of]), digests: new Set([of, digest("child")]), fault: undefined }
        : undefined;
    expect(short(tags, { keep: { pulledWithin: "7d" }, evidence, contentsOf })).toEqual({
      name: "keep pulledWithin",
      digest: "keep pulledWithin",
      index: "keep pulledWithin",
      old: "drop rule",
      never: "drop rule",
    });
  });

  test("by its name", () => {
    expect(
      short([tag("latest", 9 * day), tag("v1", 9 * day), tag("x", 9 * day)], {
        keep: { tags: ["latest", "v?"] },
      }),
    ).toEqual({
      latest: "keep tags",
      v1: "keep tags",
      x: "drop rule",
    });
  });

  test("when a workload names it, pins its manifest, or runs one below it", () => {
    const tags = [tag("named", 9 * day), tag("pinned", 8 * day), tag("index", 7 * day), tag("free", 6 * day)];
    const contentsOf: ContentsOf = (of) =>
      of === digest("index")
        ? { about: new Set([of]), digests: new Set([of, digest("child")]), fault: undefined }
        : undefined;
    const evidence = { inUse: used(["named"], [digest("pinned"), digest("child")]) };
    expect(short(tags, { keep: { inUse: true }, evidence, contentsOf })).toEqual({
      named: "keep inUse",
      pinned: "keep inUse",
      index: "keep inUse",
      free: "drop rule",
    });
  });

  test("when all conditions of a list hold: 3 newest, none older than 100 hours", () => {
    const tags = [
      tag("a", hour),
      tag("b", 50 * hour),
      tag("c", 101 * hour),
      tag("d", 2 * hour),
      tag("e", 60 * hour),
    ];
    expect(short(tags, { keep: { all: [{ newest: 3 }, { pushedWithin: "100h" }] } })).toEqual({
      a: "keep all",
      d: "keep all",
      b: "keep all",
      e: "drop rule",
      c: "drop rule",
    });
    expect(short(tags, { keep: { all: [{ newest: 5 }, { pushedWithin: "100h" }] } }).c).toBe("drop rule");
  });

  test("when one condition of its own or all of a list hold, and members of the list may be alternatives", () => {
    const tags = [...days(4), tag("latest", 30 * day)];
    expect(
      short(tags, { keep: { tags: ["latest"], all: [{ newest: 3 }, { tags: ["v2"], pushedWithin: "1d" }] } }),
    ).toEqual({
      v4: "keep all",
      v3: "drop rule",
      v2: "keep all",
      v1: "drop rule",
      latest: "keep tags",
    });
  });

  test("as the last of its repository, unless that may be empty", () => {
    expect(short(days(3), { keep: { pushedWithin: "1h" } })).toEqual({
      v3: "keep last",
      v2: "drop rule",
      v1: "drop rule",
    });
    const mayEmpty = { keep: { pushedWithin: "1h" }, rule: { mayEmpty: true } };
    expect(short(days(2), mayEmpty)).toEqual({ v2: "drop rule", v1: "drop rule" });
  });

  test("without a rule, and in regwarden's own repositories", () => {
    const all = { now, pulls: undefined, inUse: undefined };
    const none = decideRepository(
      { name: "app", tags: days(2), useless: [] },
      undefined,
      all,
      () => undefined,
    );
    expect(none.decisions.map(({ decision, by }) => `${decision} ${by}`)).toEqual([
      "keep no-rule",
      "keep no-rule",
    ]);
    for (const name of ["regwarden", "regwarden/in-use"])
      expect(short(days(2), { keep: { newest: 1 }, name })).toEqual({ v2: "keep own", v1: "keep own" });
    expect(short(days(2), { keep: { newest: 1 }, name: "regwarden-x" }).v1).toBe("drop rule");
  });
});

describe("what zot's tests ask of retention:", () => {
  // Facts of pkg/retention and pkg/storage/gc; ours has no count of the last pulled, but a time.
  test("pulled lately OR 4 pushed", () => {
    const evidence = { pulls: pulls({ v1: now - day }) };
    const decisions = short(days(8), { keep: { newest: 4, pulledWithin: "7d" }, evidence });
    expect(Object.keys(decisions).filter((name) => decisions[name]?.startsWith("keep"))).toEqual([
      "v8",
      "v7",
      "v6",
      "v5",
      "v1",
    ]);
  });

  test("preserve tags without statistics: where pulls are unknown nothing goes that they might keep", () => {
    const keep = { newest: 1, pulledWithin: "7d" };
    expect(short(days(2), { keep })).toEqual({ v2: "keep newest", v1: "undecided access-log" });
    // A tag that the log would name if it had been pulled was not pulled.
    expect(short(days(2), { keep, evidence: { pulls: pulls({}) } }).v1).toBe("drop rule");
  });
});

describe("ties", () => {
  test("of push times are decided by name, and the plan says so", () => {
    const tags = ["a", "b", "c"].map((name) => tag(name, day));
    const { a, b, c } = decide([...tags, tag("new", hour)], { keep: { newest: 2 } });
    expect([a, b, c].map((one) => one?.decision)).toEqual(["drop", "drop", "keep"]);
    expect(c?.text).toBe("newest 2: number 2, pushed at the same time as others, so its name decided");
    expect(b?.text).toContain("number 3, pushed at the same time as others");
  });

  test("that decide nothing are not named", () => {
    const tags = ["a", "b"].map((name) => tag(name, day));
    expect(decide([...tags, tag("old", 2 * day)], { keep: { newest: 2 } }).a?.text).toBe(
      "newest 2: number 2",
    );
  });
});

describe("nothing goes that a rule might keep when", () => {
  const keep = { newest: 1, inUse: true as const };
  const unusable = (reason: "stale" | "incomplete" | "foreign"): InUseList => ({
    state: "unusable",
    reason,
    text: `It is ${reason}.`,
  });

  test.each([
    ["no list of images in use is given", undefined],
    ["it is stale", unusable("stale")],
    ["it is incomplete", unusable("incomplete")],
    ["it is about another registry", unusable("foreign")],
  ])("%s", (_, inUse) => {
    expect(short(days(3), { keep, evidence: { inUse } })).toEqual({
      v3: "keep newest",
      v2: "undecided in-use",
      v1: "undecided in-use",
    });
  });

  test("the access log does not reach back far enough; what it names as pulled stays for that", () => {
    const evidence = { pulls: pulls({ v1: now - day }, now - 6 * day) };
    expect(short(days(3), { keep: { newest: 1, pulledWithin: "7d" }, evidence })).toEqual({
      v3: "keep newest",
      v2: "undecided access-log",
      v1: "keep pulledWithin",
    });
  });

  test("but what another condition of a list rules out goes", () => {
    const all = { keep: { newest: 1, all: [{ inUse: true as const }, { pushedWithin: "2d" }] } };
    expect(short(days(3), all)).toEqual({ v3: "keep newest", v2: "undecided in-use", v1: "drop rule" });
  });

  test("most manifests were pushed in one minute, as in a copied store, unless the rule trusts that", () => {
    const copied = [
      ...Array.from({ length: 5 }, (_, index) => tag(`c${index}`, 90 * day + index * 11_000)),
      ...days(4),
    ];
    const found = short(copied, { keep: { newest: 4, tags: ["c0"] } });
    expect(found).toMatchObject({
      v1: "keep newest",
      c0: "keep tags",
      c1: "undecided copied",
      c4: "undecided copied",
    });
    expect(short(copied, { keep: { pushedWithin: "30d" } }).c1).toBe("undecided copied");
    expect(short(copied, { keep: { newest: 4 }, rule: { trustPushTimes: true } }).c1).toBe("drop rule");
    // As many that were pushed at other times, and these are not most any more.
    expect(short([...copied, ...days(6).slice(4)], { keep: { newest: 4 } }).c1).toBe("drop rule");
  });

  test("but several tags of one image, or few images, may be pushed in one minute", () => {
    const tags = [
      ...["latest", "1", "1.2", "1.2.3", "abc"].map((name) => tag(name, hour, "one")),
      tag("old", 9 * day),
    ];
    expect(short(tags, { keep: { newest: 5 } }).old).toBe("drop rule");
    const variants = ["alpine", "debian", "ubi"].map((name) => tag(name, day));
    expect(Object.values(short(variants, { keep: { newest: 1 } }))).toEqual([
      "keep newest",
      "drop rule",
      "drop rule",
    ]);
  });

  test("a push is in the future, as after a clock that was a day ahead", () => {
    const tags = [...days(2), tag("future", -day)];
    expect(short(tags, { keep: { newest: 1 } })).toEqual({
      future: "keep newest",
      v2: "undecided clock",
      v1: "undecided clock",
    });
    // How old a push is does not depend on the others.
    expect(short(tags, { keep: { pushedWithin: "36h" } })).toEqual({
      future: "keep pushedWithin",
      v2: "keep pushedWithin",
      v1: "drop rule",
    });
  });

  test("what it holds is unreadable, and something unknown is in use", () => {
    const contentsOf: ContentsOf = (of) => ({ about: new Set([of]), digests: new Set(), fault: "EIO" });
    const evidence = { inUse: used([], [digest("elsewhere")]) };
    expect(short(days(1), { keep: { inUse: true }, evidence, contentsOf, rule: { mayEmpty: true } })).toEqual(
      { v1: "undecided unreadable" },
    );
  });
});

describe("a tag whose link is of no use", () => {
  const location = "/store/tags/torn/current/link";
  test.each([
    [{ state: "missing", location } as const, "keep broken", "is missing"],
    [{ state: "invalid", location, reason: "is empty" } as const, "keep broken", "is empty"],
    [
      { state: "unreadable", location, reason: "EIO" } as const,
      "undecided unreadable",
      "could not be read: EIO",
    ],
  ])("stays, does not count, and is reported: %s", (link, expected, text) => {
    const given = { keep: { newest: 1 }, useless: [{ name: "torn", link }] };
    const found = decide(days(2), given);
    expect(short(days(2), given)).toEqual({ v2: "keep newest", v1: "drop rule", torn: expected });
    expect(found.torn?.text).toBe(`${location} ${text}`);
  });
});

describe("signatures, attestations and lists of referrers", () => {
  const manifests: Record<string, readonly string[]> = {
    index: ["index", "child"],
    former: ["former", "child"],
  };
  const contentsOf: ContentsOf = (of) => {
    const found = Object.entries(manifests).find(([name]) => digest(name) === of)?.[1];
    return { about: new Set([of]), digests: new Set(found ? found.map(digest) : [of]), fault: undefined };
  };
  const about = (name: string, end = ".sig") => `sha256-${hex(name)}${end}`;

  test("do not count, and follow what they are about, at any depth", () => {
    const tags = [
      tag("old", 9 * day),
      tag("index", 8 * day),
      ...[".sig", ".att", ".sbom", ""].map((end) => tag(about("index", end), 7 * day, `of index ${end}`)),
      tag(about("child"), 6 * day, "of child"),
      tag(about("of child"), 5 * day, "of of child"),
      tag(about("old"), 4 * day, "of old"),
      tag(about("of old"), 3 * day, "of of old"),
      tag(about("gone"), 2 * day, "of gone"),
    ];
    const found = short(tags, { keep: { newest: 1 }, contentsOf });
    expect(Object.entries(found).filter(([, one]) => one === "keep subject").length).toBe(6);
    expect(found).toMatchObject({
      index: "keep newest",
      old: "drop rule",
      [about("of child")]: "keep subject",
      [about("old")]: "drop subject",
      [about("of old")]: "drop subject",
      [about("gone")]: "drop subject",
    });
  });

  test("go with what they are about, also where a part of that stays with another image", () => {
    const tags = [tag("index", day), tag("former", 8 * day), tag(about("former"), 7 * day, "of former")];
    expect(short(tags, { keep: { newest: 1 }, contentsOf })).toMatchObject({
      former: "drop rule",
      [about("former")]: "drop subject",
    });
  });

  test("stay when what they are about is in use without a tag, when their name is kept, or for a day", () => {
    const tags = [
      tag("v1", day),
      tag(about("pinned"), 9 * day),
      tag(about("young"), hour),
      tag(about("free"), 9 * day),
    ];
    const evidence = { inUse: used([], [digest("pinned")]) };
    expect(short(tags, { keep: { newest: 1 }, evidence, contentsOf })).toMatchObject({
      [about("pinned")]: "keep subject",
      [about("young")]: "keep young",
      [about("free")]: "drop subject",
    });
    expect(short(tags, { keep: { tags: ["*"] }, contentsOf })[about("free")]).toBe("keep tags");
  });

  test("stay while it is unknown what a tag that stays holds", () => {
    const torn: UselessTag = { name: "torn", link: { state: "missing", location: "/torn" } };
    const tags = [tag("v1", day), tag(about("free"), 9 * day)];
    const found = short(tags, { keep: { newest: 1 }, contentsOf, useless: [torn] });
    expect(found[about("free")]).toBe("undecided unreadable");
    const unreadable: ContentsOf = (of) => ({ about: new Set([of]), digests: new Set(), fault: "EIO" });
    expect(short(tags, { keep: { newest: 1 }, contentsOf: unreadable })[about("free")]).toBe(
      "undecided unreadable",
    );
  });
});

test("our own programs' pulls are ignored, whatever else is", () => {
  const isIgnored = ignoredAgents(["trivy/*"]);
  expect(["regwarden", "regwarden/0.2", "trivy/0.57", "regwarden2", "docker/29"].filter(isIgnored)).toEqual([
    "regwarden",
    "regwarden/0.2",
    "trivy/0.57",
  ]);
});

describe("on random repositories", () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,2}\d?$/), { minLength: 1, maxLength: 12 });
  const duration = fc.constantFrom("1h", "1d", "3d", "2w");
  const durationMs: Readonly<Record<string, number>> = {
    "1h": hour,
    "1d": day,
    "3d": 3 * day,
    "2w": 14 * day,
  };
  const patterns = fc.uniqueArray(fc.constantFrom("a*", "b*", "*1", "?", "c"), { minLength: 1 });
  const one = fc.record(
    {
      newest: fc.integer({ min: 1, max: 6 }),
      newestOf: fc.tuple(patterns, fc.integer({ min: 1, max: 3 })).map(([tags, count]) => [{ tags, count }]),
      pushedWithin: duration,
      pulledWithin: duration,
      tags: patterns,
      inUse: fc.constant(true as const),
    },
    { requiredKeys: [] },
  );
  const atLeastOne = one.filter((keep) => Object.keys(keep).length > 0);
  const keep = fc
    .record({ one, all: fc.option(fc.array(atLeastOne, { minLength: 1, maxLength: 3 }), { nil: undefined }) })
    .map(({ one, all }) => (all ? { ...one, all } : one))
    .filter((given) => Object.keys(given).length > 0);
  const world = fc.record({
    tags: names.chain((all) =>
      fc.tuple(
        ...all.map((name) => fc.integer({ min: 0, max: 20 * 24 }).map((hours) => tag(name, hours * hour))),
      ),
    ),
    keep,
    mayEmpty: fc.boolean(),
    pulled: fc.dictionary(fc.stringMatching(/^[a-z]{1,2}\d?$/), fc.integer({ min: 0, max: 20 * 24 })),
    used: fc.array(fc.stringMatching(/^[a-z]{1,2}\d?$/)),
    knowsUse: fc.boolean(),
    logDays: fc.constantFrom(0, 2, 30),
  });
  type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

  /** Whether a tag may be kept, and must be: sets of names, worked out condition by condition over all tags. */
  function naive({ tags, keep, pulled, used: inUse, knowsUse, logDays }: World) {
    const all = tags.map(({ name }) => name);
    const by = (isYes: (one: Tag) => boolean) => new Set(tags.filter(isYes).map(({ name }) => name));
    const like = (pattern: string, name: string) =>
      ({
        "a*": name[0] === "a",
        "b*": name[0] === "b",
        "*1": name.endsWith("1"),
        "?": name.length === 1,
        c: name === "c",
      })[pattern] ?? false;
    const newest = (from: readonly Tag[], count: number) =>
      new Set(
        [...from]
          .sort((x, y) => (x.pushedAt === y.pushedAt ? (x.name > y.name ? -1 : 1) : y.pushedAt - x.pushedAt))
          .slice(0, count)
          .map(({ name }) => name),
      );
    interface Sets {
      readonly must: Set<string>;
      readonly may: Set<string>;
    }
    const certain = (set: Set<string>): Sets => ({ must: set, may: set });
    const setsOf = (conditions: World["keep"]): Sets[] => {
      const sets: Sets[] = [];
      const {
        newest: count,
        newestOf,
        pushedWithin,
        pulledWithin,
        tags: patterns,
        inUse: wantsUse,
      } = conditions;
      if (count !== undefined) sets.push(certain(newest(tags, count)));
      for (const { tags: own, count } of newestOf ?? [])
        sets.push(
          certain(
            newest(
              tags.filter(({ name }) => own.some((one) => like(one, name))),
              count,
            ),
          ),
        );
      if (pushedWithin)
        sets.push(certain(by(({ pushedAt }) => now - pushedAt <= (durationMs[pushedWithin] ?? 0))));
      if (patterns) sets.push(certain(by(({ name }) => patterns.some((one) => like(one, name)))));
      if (wantsUse)
        sets.push(
          knowsUse ? certain(by(({ name }) => inUse.includes(name))) : { must: new Set(), may: new Set(all) },
        );
      if (pulledWithin) {
        const window = durationMs[pulledWithin] ?? 0;
        const must = by(({ name }) => (pulled[name] ?? 1e9) * hour <= window);
        sets.push(logDays * day >= window ? certain(must) : { must, may: new Set(all) });
      }
      return sets;
    };
    const union = (sets: Sets[]): Sets => ({
      must: new Set(sets.flatMap(({ must }) => [...must])),
      may: new Set(sets.flatMap(({ may }) => [...may])),
    });
    const { all: list, ...rest } = keep as World["keep"] & { all?: World["keep"][] };
    const sets = setsOf(rest);
    if (list) {
      const parts = list.map((part) => union(setsOf(part)));
      sets.push({
        must: new Set(all.filter((name) => parts.every(({ must }) => must.has(name)))),
        may: new Set(all.filter((name) => parts.every(({ may }) => may.has(name)))),
      });
    }
    return union(sets);
  }

  test("each tag is kept, dropped or undecided as a naive program works out", () => {
    fc.assert(
      fc.property(world, (given) => {
        const { must, may } = naive(given);
        const evidence: Partial<Evidence> = {
          pulls: {
            repositories: new Map([
              [
                "ci/app",
                new Map(Object.entries(given.pulled).map(([name, hours]) => [name, now - hours * hour])),
              ],
            ]),
            coverage: { since: now - given.logDays * day, until: now, reason: "" },
          },
          inUse: given.knowsUse ? used(given.used) : undefined,
        };
        // What copies and clocks do is tested above.
        const rule = { trustPushTimes: true, mayEmpty: given.mayEmpty };
        const decisions = decide(given.tags, { keep: given.keep, rule, evidence });
        const newest = [...given.tags].sort(
          (x, y) => y.pushedAt - x.pushedAt || (x.name > y.name ? -1 : 1),
        )[0]?.name;
        for (const { name } of given.tags) {
          const isLast = may.size === 0 && !given.mayEmpty && name === newest;
          const expected = must.has(name) || isLast ? "keep" : may.has(name) ? "undecided" : "drop";
          expect(decisions[name]?.decision, name).toBe(expected);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
