import { describe, expect, test } from "vitest";
import { parseProbeArguments } from "../../../../scripts/probe/args.ts";

const url = "https://registry.example:5050";

describe("the settings of a probe", () => {
  test("come from the environment, and flags win", () => {
    const environment = {
      REGISTRY_URL: `${url}/`,
      REGISTRY_INSTANCE: "public.example:5050",
      REG_USER: "ci",
      REG_PASS: "secret",
      PUSHGATEWAY: "http://push:9091/",
      SENTINEL_REPOSITORY: "regwarden/sentinel",
      CONCURRENCY: "4",
      TIMEOUT_SECONDS: "25",
    };
    const expected = {
      origin: url,
      instance: "public.example:5050",
      account: { user: "ci", password: "secret" },
      pushgateway: "http://push:9091",
      sentinel: "regwarden/sentinel",
      concurrency: 4,
      timeoutSeconds: 25,
      shard: undefined,
      json: false,
    };
    expect(parseProbeArguments([], environment)).toEqual(expected);
    expect(parseProbeArguments(["--concurrency", "32", "--shard", "1/4", "--json"], environment)).toEqual({
      ...expected,
      concurrency: 32,
      shard: { index: 1, count: 4 },
      json: true,
    });
  });

  test("have defaults, also for variables that are empty", () => {
    const empty = { REG_USER: "", REG_PASS: "", CONCURRENCY: "", PUSHGATEWAY: "" };
    expect(parseProbeArguments(["--url", url], empty)).toMatchObject({
      instance: "registry.example:5050",
      account: undefined,
      pushgateway: undefined,
      concurrency: 16,
    });
  });

  test.each([
    [[], {}, "REGISTRY_URL is missing."],
    [["--url", "https://me:pw@r.example"], {}, "REGISTRY_URL must be like"],
    [["--url", `${url}/path`], {}, "REGISTRY_URL must be like"],
    [["--url", "ftp://r.example"], {}, "REGISTRY_URL must be like"],
    [["--url", url, "--pushgateway", "push:9091"], {}, "PUSHGATEWAY must be"],
    [["--url", url, "--concurrency", "0"], {}, "CONCURRENCY must be"],
    [["--url", url, "--concurrency", "1000"], {}, "CONCURRENCY must be"],
    [["--url", url, "--timeout", "0"], {}, "TIMEOUT_SECONDS must be a whole number of seconds from 1 to 600"],
    [["--url", url, "--timeout", "601"], {}, "TIMEOUT_SECONDS must be"],
    [["--url", url, "--shard", "4/4"], {}, "--shard must be I/N"],
    [["--url", url], { REG_USER: "ci" }, "give both or none"],
    [["--url", url], { REG_USER: "a:b", REG_PASS: "x" }, "REG_USER must not contain a colon"],
    [["--url", "http://r.example"], { REG_USER: "ci", REG_PASS: "x" }, "REGISTRY_URL must be https"],
  ])("refuse %j with %j", (argv, environment, message) => {
    expect(() => parseProbeArguments(argv, environment)).toThrow(message);
    expect(() => parseProbeArguments(argv, environment)).toThrow(
      expect.objectContaining({ code: "E_CONFIGURATION", exitCode: 2 }),
    );
  });

  test("report all faults at once, and no password", () => {
    const environment = { REGISTRY_URL: "https://me:hidden@r.example", REG_PASS: "hidden", CONCURRENCY: "x" };
    expect(() => parseProbeArguments([], environment)).toThrow(/REGISTRY_URL.*CONCURRENCY.*both or none/);
    expect(() => parseProbeArguments([], environment)).not.toThrow(/hidden/);
  });

  test("take no password as a flag, and nothing unknown", () => {
    for (const argv of [["--password", "x"], ["--reg-pass", "x"], ["something"]])
      expect(() => parseProbeArguments(["--url", url, ...argv], {})).toThrow(
        expect.objectContaining({ code: "E_USAGE" }),
      );
  });
});
