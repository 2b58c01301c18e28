import { expect, test } from "vitest";
import { exitCodes } from "../../../contract/exit-codes.ts";
import {
  findingCauses,
  findingKinds,
  registryModes,
  remedies,
  severities,
} from "../../../contract/finding.ts";

// Timers, alerts and other people's scripts rely on these: a change here is a new version of the contract.
test("the exit codes stay what they are", () => {
  expect(exitCodes).toEqual({ clean: 0, findings: 1, usage: 2, couldNotCheck: 3 });
});

test("no word of the report is used twice", () => {
  for (const words of [findingKinds, findingCauses, severities, remedies, registryModes])
    expect(new Set(words).size).toBe(words.length);
});

test("severities are in the order of their weight", () => {
  expect(severities).toEqual(["critical", "warning", "info"]);
});
