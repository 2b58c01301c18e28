import { describe, expect, test } from "vitest";
import { parseSettings } from "../../../config/settings.ts";
import { faultsOf } from "../../support/program-stack/faults.ts";
import { RAW_CONFIG } from "../../support/program-stack/raw-config.ts";

const settings = (raw: Readonly<Record<string, string>> = {}) => {
  const parsed = parseSettings({ ...RAW_CONFIG, ...raw });
  if (!("settings" in parsed)) throw new Error(JSON.stringify(parsed.faults));
  return parsed.settings;
};

describe("maintenance", () => {
  test("removes nothing unless that is asked for", () => {
    const { retention, collection } = settings();
    expect([retention.mode, collection.mode]).toEqual(["plan", "plan"]);
  });

  test("has these times and limits when none are given", () => {
    expect(settings().collection).toEqual({
      mode: "plan",
      onCalendar: "Sun *-*-* 03:00:00",
      mark: { onCalendar: "*-*-* 02:40:00" },
      budget: "30%",
      deadFor: "24h",
      grace: "2h",
      overwritten: "7d",
      quarantineDays: 7,
    });
    expect(settings().retention.onCalendar).toBe("*-*-* 02:00:00");
  });

  test.each([
    ["mode", "delete"],
    ["mode", true],
    ["onCalendar", "03:00; rm"],
    ["budget", "0%"],
    ["budget", "101%"],
    ["budget", 30],
    ["deadFor", "0s"],
    ["deadFor", "a day"],
    ["grace", 7200],
    ["overwritten", "7 d"],
    ["quarantineDays", 0],
    ["quarantineDays", 1.5],
    ["quarantineDays", "7"],
    ["offline", true],
  ])("refuses a collection whose %s is %s", (key, value) => {
    expect(faultsOf({ collection: JSON.stringify({ [key]: value }) }).keys).toEqual([`collection.${key}`]);
  });

  test("refuses a retention whose mode is no mode, or whose time is none", () => {
    expect(faultsOf({ retention: '{"mode":"dry"}' }).keys).toEqual(["retention.mode"]);
    expect(faultsOf({ retention: '{"onCalendar":"$(now)"}' }).keys).toEqual(["retention.onCalendar"]);
  });
});
