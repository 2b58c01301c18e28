import { describe, expect, test } from "vitest";
import { parseAdoptArgs, UsageError } from "../../../adopt/args.ts";

const needed = ["--host", "root@10.0.20.10", "--out", "Pulumi.home.yaml"];

test("a host and a file are enough", () => {
  expect(parseAdoptArgs(needed)).toEqual({
    user: "root",
    address: "10.0.20.10",
    port: 22,
    identity: undefined,
    hostKey: undefined,
    directory: "/opt/registry",
    hostname: undefined,
    stack: "home",
    out: "Pulumi.home.yaml",
    cluster: undefined,
    preview: true,
    revert: false,
    apply: false,
  });
  expect(parseAdoptArgs(["--help"])).toBe("help");
});

describe("refused, with what is needed, is", () => {
  test.each<[string, string[], RegExp]>([
    ["no host", ["--out", "Pulumi.a.yaml"], /USER@ADDRESS/],
    ["a host without an account", ["--host", "10.0.20.10", "--out", "Pulumi.a.yaml"], /USER@ADDRESS/],
    ["a file that is no stack's", ["--host", "root@a", "--out", "config.yaml"], /Pulumi\.STACK\.yaml/],
    ["a host key that is none", [...needed, "--host-key", "yes"], /SHA256/],
    ["a kubeconfig without a context", [...needed, "--kubeconfig", "a"], /belong together/],
    ["an unknown option", [...needed, "--force"], /force/],
    ["--apply without --revert", [...needed, "--apply"], /--revert/],
  ])("%s", (_, argv, message) => {
    expect(() => parseAdoptArgs(argv)).toThrow(UsageError);
    expect(() => parseAdoptArgs(argv)).toThrow(message);
  });
});
