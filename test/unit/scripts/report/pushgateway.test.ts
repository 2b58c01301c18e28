import { expect, test } from "vitest";
import { groupPath } from "../../../../scripts/report/pushgateway.ts";

test.each([
  ["r.example:5050", "job/x/instance/r.example%3A5050"],
  ["r.example/a", "job/x/instance@base64/ci5leGFtcGxlL2E"],
  ["", "job/x/instance@base64/="],
])("a group of the Pushgateway for %j", (instance, path) => {
  expect(
    groupPath([
      ["job", "x"],
      ["instance", instance],
    ]),
  ).toBe(path);
});
