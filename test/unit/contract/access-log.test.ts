import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import {
  accessLogDays,
  accessLogDirectory,
  accessLogFormat,
  accessLogFormatName,
  accessLogHeadFormat,
  accessLogPath,
  accessLogStampFormat,
} from "../../../contract/access-log.ts";
import { parseHead, parseRequest } from "../../../scripts/access-log/parse-line.ts";

test("a line in nginx's format is a request for the readers", () => {
  const values: Readonly<Record<string, string>> = {
    $msec: "1763776934.123",
    $request_method: "GET",
    $request_uri: "/v2/app/manifests/v1",
    $status: "000",
    $http_user_agent: 'some \\"agent\\"',
  };
  const line = accessLogFormat.replaceAll(/\$\w+/g, (name) => values[name] ?? name);
  expect(parseRequest(line)).toEqual({
    time: 1763776934123,
    method: "GET",
    uri: "/v2/app/manifests/v1",
    status: 0,
    agent: 'some "agent"',
  });
});

test("a head as the rotation's shell writes it is a head for the readers", () => {
  const stamp = execFileSync("date", ["-u", "-d", "@1763776934", `+${accessLogStampFormat}`], {
    encoding: "utf8",
  });
  const former = `access.log-${stamp.trim()}`;
  const head = execFileSync("printf", [accessLogHeadFormat, "1763776934", former], { encoding: "utf8" });
  expect(head.endsWith("\n")).toBe(true);
  expect(parseHead(head)).toEqual({ begins: 1763776934000, follows: "access.log-20251122T020214Z" });
});

test("the log has a directory of its own, and a month of it is kept", () => {
  expect(accessLogPath).toBe(`${accessLogDirectory}/access.log`);
  expect(accessLogFormatName).toMatch(/^\w+$/);
  expect(accessLogDays).toBeGreaterThan(31);
});
