import { describe, expect, test } from "vitest";
import { digestOf } from "../../../../scripts/registry/digest.ts";
import { parseVerifyArguments } from "../../../../scripts/verify/args.ts";

const digest = digestOf(new Uint8Array());

describe("the settings of a verification", () => {
  test("have defaults", () => {
    expect(parseVerifyArguments(["r.example/app"], { HOME: "/home/ci" })).toMatchObject({
      targets: [{ text: "r.example/app", host: "r.example", repository: "app", tag: "latest", digest: null }],
      platforms: [],
      account: undefined,
      dockerConfig: "/home/ci/.docker/config.json",
      waitSeconds: 5,
      download: false,
      plainHttp: false,
      concurrency: 16,
      timeoutSeconds: 10,
      json: false,
    });
  });

  test("are taken as given", () => {
    const argv = [
      "--platform",
      "linux/amd64",
      "--platform",
      "linux/arm64/v8",
      "--wait",
      "0",
      "--junit",
      "x.xml",
    ];
    const environment = { REG_USER: "ci", REG_PASS: "pw", DOCKER_CONFIG: "/docker" };
    expect(parseVerifyArguments([...argv, `r.example/app@${digest}`], environment)).toMatchObject({
      targets: [{ tag: null, digest }],
      platforms: ["linux/amd64", "linux/arm64/v8"],
      waitSeconds: 0,
      junit: "x.xml",
      account: { user: "ci", password: "pw" },
      dockerConfig: "/docker/config.json",
    });
  });

  test.each<[string[], RegExp]>([
    [[], /REF is missing/],
    [["--platform", "amd64", "r.example/app"], /--platform must be OS\/ARCHITECTURE/],
    [["--wait", "601", "r.example/app"], /--wait must be/],
    [["--wait", "-1", "r.example/app"], /--wait/],
    [["--concurrency", "0", "r.example/app"], /--concurrency must be/],
    [["--timeout", "0", "r.example/app"], /--timeout must be a whole number of seconds from 1 to 600/],
    [["--password", "x", "r.example/app"], /Unknown option/],
  ])("%j are refused as a command line", (argv, message) => {
    expect(() => parseVerifyArguments(argv, {})).toThrow(expect.objectContaining({ code: "E_USAGE" }));
    expect(() => parseVerifyArguments(argv, {})).toThrow(message);
  });

  test("send no account without TLS, except to this machine", () => {
    const environment = { REG_USER: "ci", REG_PASS: "hidden" };
    const parse = (host: string) => () => parseVerifyArguments(["--plain-http", `${host}/app`], environment);
    expect(parse("r.example:5000")).toThrow(/^r\.example:5000 must be https/);
    expect(parse("127.0.0.1:5000")).not.toThrow();
  });

  test("report all faults of references and account at once, and no password", () => {
    const argv = ["app:1", "r.example/App", "r.example/app:1", "other.example/app"];
    const parse = (environment: Record<string, string>) => () => parseVerifyArguments(argv, environment);
    expect(parse({ REG_USER: "ci" })).toThrow(
      /app:1 names no registry.*App is no name of a repository.*belong together/,
    );
    expect(parse({ REG_USER: "ci", REG_PASS: "hidden" })).toThrow(
      /for one registry, and the references name r\.example and other\.example/,
    );
    expect(parse({ REG_USER: "a:b", REG_PASS: "hidden" })).not.toThrow(/hidden/);
  });
});
