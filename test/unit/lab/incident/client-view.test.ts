import { expect, test } from "vitest";
import { reasonOf } from "../../../../lab/incident/client-view.ts";

test("skopeo's last line is shortened to its reason", () => {
  const digest = "d".repeat(64);
  const reading = `reading manifest sha256:${digest} in r:1/i: manifest unknown: manifest unknown`;
  const line = `time="2026-11-21T00:00:00Z" level=fatal msg="copying \\"x\\": ${reading}"`;
  expect(reasonOf(`Getting signatures\n${line}\n`)).toBe(
    "reading manifest sha256:dddddddddddd... in r:1/i: manifest unknown",
  );
  expect(reasonOf("connection refused")).toBe("connection refused");
});
