import { describe, expect, test } from "vitest";
import { readGauge, renderExposition } from "../../../../scripts/report/exposition.ts";

const metrics = {
  a_count: { help: 'A "count"\nof \\ things', labels: ["where", "what"] },
  b_seconds: { help: "Seconds", labels: [] },
} as const;

describe("the exposition", () => {
  test("escapes what would end a help text or a label", () => {
    const labels = { what: 'a\\b"c\nd', where: "ü" };
    expect(renderExposition(metrics, [{ name: "a_count", labels, value: 1 }])).toBe(
      '# HELP a_count A "count"\\nof \\\\ things\n# TYPE a_count gauge\n' +
        'a_count{where="ü",what="a\\\\b\\"c\\nd"} 1\n',
    );
  });

  test("keeps a family together, in the order of the table, and leaves out what has no sample", () => {
    const text = renderExposition(metrics, [
      { name: "b_seconds", labels: {}, value: 0.5 },
      { name: "a_count", labels: { where: "x", what: "1" }, value: Number.NaN },
      { name: "b_seconds", labels: {}, value: Number.NEGATIVE_INFINITY },
    ]);
    expect(text.split("\n").filter((line) => !line.startsWith("#"))).toEqual([
      'a_count{where="x",what="1"} NaN',
      "b_seconds 0.5",
      "b_seconds -Inf",
      "",
    ]);
    expect(renderExposition(metrics, [])).toBe("");
  });

  test.each([{ where: "x" }, { where: "x", what: "y", who: "z" }, { where: "x", who: "z" }])(
    "refuses labels that the contract does not have: %j",
    (labels) => {
      expect(() => renderExposition(metrics, [{ name: "a_count", labels, value: 1 }])).toThrow("where, what");
    },
  );

  test("is read back", () => {
    const text = renderExposition(metrics, [{ name: "b_seconds", labels: {}, value: 1.5 }]);
    expect(readGauge(text, "b_seconds")).toBe(1.5);
    for (const bad of ["", "b_seconds", "b_seconds x", "b_seconds_more 1", "not metrics at all\u0000"])
      expect(readGauge(bad, "b_seconds")).toBeUndefined();
  });
});
