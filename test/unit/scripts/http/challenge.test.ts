import { expect, test } from "vitest";
import { parseChallenge } from "../../../../scripts/http/challenge.ts";

test.each([
  ['Basic realm="a, b"', { scheme: "basic" }],
  ["Basic", { scheme: "basic" }],
  ['Bearer realm="https://t/x",service="s"', { scheme: "bearer", realm: "https://t/x", service: "s" }],
  ['Basic realm="x", Bearer realm="https://t"', { scheme: "bearer", realm: "https://t" }],
  ['bearer service=s, realm="a\\"b"', { scheme: "bearer", realm: 'a"b', service: "s" }],
  ["Bearer", undefined],
  ['Negotiate realm="Basic"', undefined],
  [null, undefined],
])("the challenge %j", (header, expected) => {
  if (expected) expect(parseChallenge(header)).toMatchObject(expected);
  else expect(parseChallenge(header)).toBeUndefined();
});
