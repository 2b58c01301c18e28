import { describe, expect, test } from "vitest";
import { driftMetrics } from "../../../../contract/metrics.ts";
import { type DriftCheck, driftRecord, renderDriftMetrics } from "../../../../engine/drift/record.ts";

const now = 1_795_241_000;
const hour = 3600;
const change = { operation: "update", type: "host:index:File", name: "a", properties: ["content"] };
const clean: DriftCheck = { kind: "clean" };
const drift: DriftCheck = { kind: "drift", changes: [change, { ...change, name: "b" }] };
const unchecked: DriftCheck = { kind: "could-not-check" };

describe("the record of a drift run", () => {
  test.each([
    ["no drift", clean, 0, { state: 0, firstSeen: 0, age: 0, count: 0 }],
    ["drift that ended", clean, now - hour, { state: 0, firstSeen: 0, age: 0, count: 0 }],
    ["new drift", drift, 0, { state: 1, firstSeen: now, age: 0, count: 2 }],
    [
      "drift that stands",
      drift,
      now - 73.5 * hour,
      { state: 1, firstSeen: now - 73.5 * hour, age: 73.5, count: 2 },
    ],
    [
      "drift seen by a clock that was ahead",
      drift,
      now + 60,
      { state: 1, firstSeen: now + 60, age: 0, count: 2 },
    ],
    ["no check, and nothing known", unchecked, 0, { state: 2, firstSeen: 0, age: 0, count: undefined }],
    [
      "no check, while drift stands",
      unchecked,
      now - 2 * hour,
      { state: 2, firstSeen: now - 2 * hour, age: 2, count: undefined },
    ],
  ] as const)("of %s", (_what, check, earlier, { state, firstSeen, age, count }) => {
    expect(driftRecord(check, earlier, now)).toEqual({
      drift_stack_state: state,
      drift_stack_first_seen: firstSeen,
      drift_stack_age_hours: age,
      drift_stack_count: count,
      drift_stack_last_run_timestamp: now,
    });
  });

  test("has every metric of the contract, with the stack as its label, and none that is not known", () => {
    const text = renderDriftMetrics("prod", driftRecord(drift, 0, now), undefined);
    const names = [...text.matchAll(/^(drift_stack_[a-z_]+)\{stack="prod"\} [\d.e+]+$/gm)].map(
      ([, name]) => name,
    );
    expect(names).toEqual(Object.keys(driftMetrics));
    expect(renderDriftMetrics("prod", driftRecord(unchecked, 0, now), undefined)).not.toContain(
      "drift_stack_count",
    );
  });

  test("counts by kind what is not declared, and gives a kind that could not be checked no number", () => {
    const parts = [
      { kind: "file" as const, found: [{ name: "/opt/registry/x", detail: "file" }] },
      { kind: "container" as const, found: [] },
      { kind: "unit" as const, found: [] },
      { kind: "job" as const, found: [], unchecked: "no answer" },
      { kind: "port" as const, found: [] },
    ];
    const text = renderDriftMetrics("prod", driftRecord(clean, 0, now), parts);
    expect(text.match(/^drift_unmanaged_.*$/gm)).toEqual([
      'drift_unmanaged_count{stack="prod",kind="file"} 1',
      'drift_unmanaged_count{stack="prod",kind="container"} 0',
      'drift_unmanaged_count{stack="prod",kind="unit"} 0',
      'drift_unmanaged_count{stack="prod",kind="port"} 0',
      'drift_unmanaged_unchecked{stack="prod"} 1',
    ]);
  });

  test("says of a reading that there was not that all of it is unchecked, but of a run that failed only that", () => {
    const unread = (check: DriftCheck) => renderDriftMetrics("prod", driftRecord(check, 0, now), undefined);
    expect(unread(clean)).toContain('drift_unmanaged_unchecked{stack="prod"} 5');
    expect(unread(unchecked)).not.toContain("drift_unmanaged");
  });
});
