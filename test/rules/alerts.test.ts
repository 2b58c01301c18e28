import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dump } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Rule } from "../../components/cluster/render/rules.ts";
import { ensurePackages } from "../../lab/machine/packages.ts";
import { directoryWithRules, promtool } from "../support/rules/prometheus-tools.ts";
import { RULES } from "../support/rules/rendered-rules.ts";
import { backupCases } from "./cases/backup.ts";
import { breakGlassCases } from "./cases/break-glass.ts";
import type { AlertCase } from "./cases/case.ts";
import { diskCases } from "./cases/disk.ts";
import { driftCases } from "./cases/drift.ts";
import { driveSyncCases } from "./cases/drive-sync.ts";
import { inUseCases } from "./cases/in-use.ts";
import { maintenanceCases } from "./cases/maintenance.ts";
import { probeCases } from "./cases/probe.ts";
import { registryCases } from "./cases/registry.ts";
import { scanCases } from "./cases/scan.ts";

const CASES = [
  ...registryCases,
  ...probeCases,
  ...inUseCases,
  ...scanCases,
  ...backupCases,
  ...breakGlassCases,
  ...diskCases,
  ...maintenanceCases,
  ...driftCases,
  ...driveSyncCases,
];
const rules = RULES.groups.flatMap((group) => group.rules);

let directory: string;
beforeAll(async () => {
  await ensurePackages({}, ["promtool"]);
  directory = await directoryWithRules();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function ruleOf({ alert }: AlertCase): Rule {
  const found = rules.find((rule) => rule.alert === alert);
  if (found === undefined) throw new Error(`no rule ${alert}`);
  return found;
}

function minutes(duration: string): number {
  const [, count, unit] = /^(\d+)([mh])$/.exec(duration) ?? [];
  if (count === undefined) throw new Error(`no duration: ${duration}`);
  return Number(count) * (unit === "h" ? 60 : 1);
}

/** The text as Prometheus fills it in for one alert. */
function filled(text: string, { labels, value = "" }: AlertCase): string {
  return text
    .replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? "")
    .replace(/\{\{ \$value.*?\}\}/g, value);
}

function fired(one: AlertCase): object {
  const { labels, annotations } = ruleOf(one);
  const texts = Object.entries(annotations).map(([key, text]) => [key, filled(text, one)]);
  return { exp_labels: { ...one.labels, ...labels }, exp_annotations: Object.fromEntries(texts) };
}

function series(input: Readonly<Record<string, string>>): object[] {
  return Object.entries(input).map(([name, values]) => ({ series: name, values }));
}

function unitTest(one: AlertCase, ruleFile: string): object {
  const edge = one.holdsFromMinute + minutes(ruleOf(one).for);
  const at = (minute: number, expected: object[]) => ({
    eval_time: `${minute}m`,
    alertname: one.alert,
    exp_alerts: expected,
  });
  return {
    rule_files: [ruleFile],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: series(one.input),
        alert_rule_test: [at(edge - 1, []), at(edge, [fired(one)])],
      },
      { interval: "1m", input_series: series(one.quiet), alert_rule_test: [at(edge, []), at(edge + 60, [])] },
    ],
  };
}

describe("the rules", () => {
  test("pass promtool's check", async () => {
    const { exitCode, output } = await promtool("check", "rules", join(directory, "rules.yaml"));
    expect(output).toContain(`${rules.length} rules found`);
    expect(exitCode).toBe(0);
  });

  test("have a case each", () => {
    expect([...new Set(CASES.map(({ alert }) => alert))].sort()).toEqual(
      rules.map(({ alert }) => alert).sort(),
    );
  });

  test.each(CASES.map((one) => [one.alert, one.title, one] as const))(
    "fire %s at the end of its time and not before: %s",
    async (alert, title, one) => {
      const name = `${alert}-${CASES.indexOf(one)}`;
      const file = join(directory, `${name}.yaml`);
      // Alone: promtool would evaluate all rules for every minute of days.
      const alone = { groups: [{ name: "one", rules: [ruleOf(one)] }] };
      await writeFile(join(directory, `${name}-rule.yaml`), dump(alone));
      await writeFile(file, dump(unitTest(one, `${name}-rule.yaml`)));
      const { exitCode, output } = await promtool("test", "rules", file);
      expect(output, title).toContain("SUCCESS");
      expect(exitCode).toBe(0);
    },
  );
});
