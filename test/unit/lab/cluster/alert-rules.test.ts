import { describe, expect, test } from "vitest";
import {
  durationMilliseconds,
  rulesOfConfigMaps,
  rulesOfPrometheusRules,
  scaleFor,
  waitOf,
} from "../../../../lab/cluster/alert-rules.ts";

const alert = { alert: "Broken", expr: "broken > 0", for: "30m", labels: { severity: "critical" } };
const recording = { record: "broken:sum", expr: "sum(broken)" };
const spec = { groups: [{ name: "integrity", interval: "1m", rules: [alert, recording] }] };
const metadata = { name: "registry", namespace: "monitoring" };

describe("a Prometheus duration", () => {
  test.each([
    ["0", 0],
    ["250ms", 250],
    ["30m", 1_800_000],
    ["1h30m", 5_400_000],
    ["2d", 172_800_000],
  ])("%s has %i milliseconds", (text, milliseconds) => {
    expect(durationMilliseconds(text)).toBe(milliseconds);
  });

  test.each(["", "5", "m", "5 m", "1h-30m", "1.5h"])("%j is none", (text) => {
    expect(() => durationMilliseconds(text)).toThrow(/no Prometheus duration/);
  });
});

test("scaling divides what alerts wait and leaves everything else as it is", () => {
  const files = rulesOfPrometheusRules([{ metadata, spec }]);
  expect(scaleFor(files, 1 / 120)).toEqual([
    {
      name: "monitoring-registry",
      groups: [{ name: "integrity", interval: "1m", rules: [{ ...alert, for: "15000ms" }, recording] }],
    },
  ]);
  expect(waitOf(files, "Broken")).toBe("30m");
});

test("rules are found in every YAML value of a ConfigMap that has groups, and nowhere else", () => {
  const data = {
    "alerts.yaml": 'groups: [{name: a, rules: [{alert: A, expr: "up == 0"}]}]',
    "values.yaml": "groups: none",
    "broken.yml": "groups: [",
    "regwarden.mjs": "groups: []",
  };
  const files = rulesOfConfigMaps([
    { metadata, data },
    { metadata: { name: "empty", namespace: "default" } },
  ]);
  expect(files).toEqual([
    {
      name: "monitoring-registry-alerts.yaml",
      groups: [{ name: "a", rules: [{ alert: "A", expr: "up == 0" }] }],
    },
  ]);
});

test("a PrometheusRule without groups is an error, never taken for one without alerts", () => {
  expect(() => rulesOfPrometheusRules([{ metadata, spec: {} }])).toThrow();
});
