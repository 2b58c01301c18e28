import { describe, expect, test } from "vitest";
import { parseSettings } from "../../../config/settings.ts";
import { parseRules } from "../../../scripts/retention-rules/read-rules.ts";
import { faultsOf } from "../../support/program-stack/faults.ts";
import { RAW_CONFIG } from "../../support/program-stack/raw-config.ts";

const json = JSON.stringify;
const rule = { repositories: ["ci/**"], keep: { newest: 10 } };
const faults = (retention: object) => faultsOf({ retention: json(retention) });

describe("rules of retention", () => {
  test("are none by default: every tag stays", () => {
    const parsed = parseSettings(RAW_CONFIG);
    expect(parsed).toMatchObject({ settings: { retention: { rules: [], ignoreAgents: [] } } });
  });

  test("that are wrong are refused all at once, each with its rule and an example", () => {
    const { keys, text } = faults({
      rules: [
        { ...rule, keep: { newest: 0, pushedWithin: "soon", all: [{ tags: ["a b"] }] } },
        { ...rule, repositories: ["Ci"], keep: {}, maybe: true },
      ],
    });
    expect(keys).toEqual([
      "retention.rules[0].keep.newest",
      "retention.rules[0].keep.pushedWithin",
      "retention.rules[0].keep.all[0].tags[0]",
      "retention.rules[1].repositories[0]",
      "retention.rules[1].keep",
      "retention.rules[1].maybe",
    ]);
    expect(text).toContain(`  regwarden:retention.rules[0].keep.pushedWithin
    is:      "soon"
    must be: a whole number of minutes, hours, days or weeks: m, h, d or w behind it
    example: 30d`);
    expect(text).toContain("must be: a pattern of repositories: * stands for any text without a slash");
  });

  test("are read by the programs from the file on the host as they were configured", () => {
    const retention = {
      rules: [
        {
          repositories: ["ci/**", "**/x"],
          keep: { newest: 10, tags: ["v*", "1.0"], all: [{ newest: 3 }, { inUse: true as const }] },
          overwritten: { keep: 3, within: "7d" },
        },
      ],
      ignoreAgents: ["trivy/*", "a: b # c"],
    };
    const parsed = parseSettings({ ...RAW_CONFIG, retention: json(retention) });
    if (!("settings" in parsed)) throw new Error("the rules were refused");
    const { rules, ignoreAgents } = parsed.settings.retention;
    // JSON, as the host writes it, is YAML as well.
    const text = JSON.stringify({ rules, ignoreAgents }, null, 2);
    expect(parseRules(text, "retention.json")).toEqual(retention);
  });
});
