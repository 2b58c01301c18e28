import { describe, expect, test } from "vitest";
import { type Line, logHead, logLine, writeLog } from "../../../support/access-log/access-log.ts";
import { decidedTags, retain } from "../../../support/commands.ts";
import { image } from "../../../support/images/oci-content.ts";
import { setPushTime, writeRules } from "../../../support/store/retained-store.ts";
import { privateStore } from "../../../support/store/store.ts";

const day = 24 * 3600 * 1000;

/**
 * What zot's retention holds itself to in its tests, written anew as stores and rules of ours: the facts are theirs, the
 * code is not. Source: zot, pkg/retention and pkg/storage/gc.
 */
interface PeerCase {
  /** The name that the case has there. */
  readonly name: string;
  /** What it asserts there. */
  readonly asserts: string;
  /** Why ours differs on purpose. */
  readonly differs?: string;
  /** Tags of `ci/app`, the newest first, a day apart. */
  readonly tags: readonly string[];
  readonly rules: readonly object[];
  /** Requests in a log of sixty days; undefined: there is no log. */
  readonly pulled?: readonly { readonly tag: string; readonly daysAgo: number }[];
  readonly drop: readonly string[];
  readonly undecided?: readonly string[];
}

const ci = (keep: object) => ({ repositories: ["ci/*"], keep });

const cases: readonly PeerCase[] = [
  {
    name: "3 pulled OR 4 pushed",
    asserts: "a tag stays when either of two conditions of a policy holds",
    differs: "pulls count by time and not by rank: of idle images, the last pulled ones are as idle",
    tags: ["v7", "v6", "v5", "v4", "v3", "v2", "v1"],
    rules: [ci({ newest: 4, pulledWithin: "30d" })],
    pulled: [
      { tag: "v1", daysAgo: 2 },
      { tag: "v2", daysAgo: 40 },
      { tag: "v7", daysAgo: 1 },
    ],
    drop: ["v2", "v3"],
  },
  {
    name: "first match rule",
    asserts: "the first policy that matches a repository decides, whatever a later one would keep",
    tags: ["v3", "v2", "v1"],
    rules: [
      { repositories: ["ci/app"], keep: { newest: 1 } },
      { repositories: ["**"], keep: { newest: 3 } },
    ],
    drop: ["v1", "v2"],
  },
  {
    name: "first match rule (the wider one first)",
    asserts: "order decides, not how exactly a pattern matches",
    tags: ["v3", "v2", "v1"],
    rules: [
      { repositories: ["**"], keep: { newest: 3 } },
      { repositories: ["ci/app"], keep: { newest: 1 } },
    ],
    drop: [],
  },
  {
    name: "no policy matches",
    asserts: "a repository of which no policy speaks is kept",
    tags: ["v2", "v1"],
    rules: [{ repositories: ["other/**"], keep: { newest: 1 } }],
    drop: [],
  },
  {
    name: "preserve tags without statistics",
    asserts: "what was never seen being pulled, because nothing was recorded, stays",
    tags: ["v2", "v1"],
    rules: [ci({ pulledWithin: "30d" })],
    drop: [],
    undecided: ["v1", "v2"],
  },
  {
    name: "preserve tags without statistics (recorded)",
    asserts: "a tag without a record of a pull stays",
    differs: "where the log covers all of the time, a tag that is not in it was not pulled",
    tags: ["v2", "v1"],
    rules: [ci({ pulledWithin: "30d" })],
    pulled: [{ tag: "v2", daysAgo: 3 }],
    drop: ["v1"],
  },
];

describe("a case of zot", () => {
  test.each(cases.map((one) => [`${one.name}: ${one.differs ?? one.asserts}`, one] as const))(
    "%s",
    async (_, { tags, rules, pulled, drop, undecided = [] }) => {
      const { root, store } = await privateStore();
      const now = Date.now();
      for (const [age, tag] of tags.entries()) {
        await store.push("ci/app", image(tag, "linux/amd64"), tag);
        await setPushTime(store, "ci/app", tag, now - (50 + age) * day);
      }
      const lines = (pulled ?? []).map(
        ({ tag, daysAgo }): Line => ({ time: now - daysAgo * day, uri: `/v2/ci/app/manifests/${tag}` }),
      );
      const ordered = [...lines, { time: now - 60_000 }].sort((a, b) => a.time - b.time).map(logLine);
      const log = pulled && (await writeLog({ "": logHead(now - 60 * day, null) + ordered.join("") }));
      const flags = log === undefined ? [] : ["--access-log", log];
      const { report } = await retain(root, "--rules", await writeRules(root, rules), ...flags);
      const decided = decidedTags(report);
      expect(decided.drop).toEqual(drop.map((tag) => `ci/app:${tag}`));
      expect(decided.undecided).toEqual(undecided.map((tag) => `ci/app:${tag}`));
    },
  );
});
