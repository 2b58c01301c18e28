import { readFileSync } from "node:fs";
import { matchesGlob } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ownAgents } from "../../../../contract/retention-rules.ts";
import { nameMatcher, pathMatcher } from "../../../../scripts/retention-rules/pattern.ts";
import { createFindRule, parseRules, readRules } from "../../../../scripts/retention-rules/read-rules.ts";

describe("a pattern of repositories", () => {
  test.each([
    ["ci/**", ["ci/app", "ci/team/app"], ["ci", "cia/app", "my/ci/app"]],
    ["ci/*", ["ci/app"], ["ci", "ci/team/app"]],
    ["**", ["app", "a/b/c"], []],
    ["**/app", ["app", "a/app", "a/b/app"], ["myapp", "app/a"]],
    ["a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/bb"]],
    ["team-?/app.web", ["team-1/app.web"], ["team-/app.web", "team-1/appxweb", "team-12/app.web"]],
    ["a**/b", ["a/b", "axy/b"], ["ab"]],
  ])("%s", (pattern, matching, others) => {
    const matches = pathMatcher([pattern]);
    expect(matching.filter(matches)).toEqual(matching);
    expect(others.filter(matches)).toEqual([]);
  });

  test("means what it means to Node, whatever the name", () => {
    const name = fc.array(fc.stringMatching(/^[ab.-]{1,3}$/), { minLength: 1, maxLength: 4 });
    const part = fc.oneof(fc.stringMatching(/^[ab*?.-]{1,3}$/), fc.constant("**"));
    const isPlain = (parts: readonly string[]) =>
      parts.every((one) => !one.startsWith(".") && (one === "**" || !one.includes("**")));
    fc.assert(
      fc.property(name, fc.array(part, { minLength: 1, maxLength: 4 }), (parts, patterns) => {
        fc.pre(isPlain(parts) && isPlain(patterns) && patterns.at(-1) !== "**");
        const [text, pattern] = [parts.join("/"), patterns.join("/")];
        expect(pathMatcher([pattern])(text), `${pattern} ${text}`).toBe(matchesGlob(text, pattern));
      }),
      { numRuns: 2000 },
    );
  });
});

test("a pattern of tags or agents is for the whole of it, and * passes slashes", () => {
  expect(["v1.2", "v", "rv1"].filter(nameMatcher(["v*"]))).toEqual(["v1.2", "v"]);
  expect(["trivy/0.5 (x; y)", "my trivy/1"].filter(nameMatcher(["trivy/*"]))).toEqual(["trivy/0.5 (x; y)"]);
  expect(["a.b", "axb"].filter(nameMatcher(["a.b", "?"]))).toEqual(["a.b"]);
});

test("what our own programs send is an agent that is ignored", () => {
  const source = readFileSync(new URL("../../../../scripts/http/exchange.ts", import.meta.url), "utf8");
  const sent = /"user-agent": "([^"]+)"/.exec(source)?.[1] ?? "";
  expect(nameMatcher(ownAgents)(sent)).toBe(true);
});

describe("the file of the rules", () => {
  const text = `
rules:
  - repositories: ["ci/**"]
    keep:
      newest: 10
      pushedWithin: 30d
      all: [{ newest: 3 }, { pulledWithin: 36h, tags: [v*] }]
      inUse: true
    overwritten: { keep: 3, within: 7d }
  - repositories: ["ci/app", "team/*"]
    keep: { tags: [latest] }
`;

  test("holds rules, of which the first that matches decides", () => {
    const rules = parseRules(text, "rules.yaml");
    const find = createFindRule(rules.rules);
    expect(["ci/app", "team/app", "ci", "other"].map((name) => find(name)?.number)).toEqual([
      1,
      2,
      undefined,
      undefined,
    ]);
    expect(find("ci/app")?.rule.overwritten).toEqual({ keep: 3, within: "7d" });
    expect(find("team/app")?.rule.overwritten).toBeUndefined();
    expect(rules.ignoreAgents).toEqual([]);
  });

  test("may have no rule: every repository is kept then", () => {
    expect(createFindRule(parseRules("rules: []", "rules.yaml").rules)("app")).toBeUndefined();
  });

  test("is refused with all of its faults", () => {
    const bad = `
rules:
  - repositories: []
    keep: {}
  - repositories: [CI]
    keep: { newest: 0, pushedWithin: 3 days, all: [{}], inUse: false, newset: 3 }
    overwritten: {}
  - keep: { newest: "3" }
rule: []
`;
    expect(() => parseRules(bad, "rules.yaml")).toThrow(
      [
        "The rules rules.yaml have 11 faults; nothing was changed:",
        "  rules[0].repositories: [] is empty",
        "  rules[0].keep: {} names nothing to keep, so it would drop every tag",
        '  rules[1].repositories[0]: "CI" is no pattern of repositories, like ci/**',
        "  rules[1].keep.newest: 0 is less than 1",
        '  rules[1].keep.pushedWithin: "3 days" is no time like 36h or 30d',
        "  rules[1].keep.inUse: false can only be true",
        "  rules[1].keep.all[0]: {} names nothing to keep, so it would drop every tag",
        "  rules[1].keep.newset is no key that is known here",
        "  rules[1].overwritten: {} needs keep, within or both",
        "  rules[2].repositories is missing",
        '  rules[2].keep.newest: "3" is no number',
        "  rule is no key that is known here",
      ]
        .join("\n")
        .replace("11 faults", "12 faults"),
    );
  });

  test("is refused when it is missing", async () => {
    await expect(readRules("/nowhere/rules.yaml")).rejects.toThrow(/^Cannot read the rules .*ENOENT/);
  });

  test("is refused with the line where it is no YAML, or names a key twice", () => {
    expect(() => parseRules("rules:\n  - [", "rules.yaml")).toThrow(
      /^The rules rules.yaml:\d+ are no YAML: /,
    );
    expect(() => parseRules("rules: []\nrules: []\n", "rules.yaml")).toThrow(
      /^The rules rules.yaml:2 are no YAML: /,
    );
    expect(() => parseRules("- a", "rules.yaml")).toThrow(/the file: expected Object/);
    expect(() => parseRules("", "rules.yaml")).toThrow(/are no YAML: .*empty/);
  });
});
