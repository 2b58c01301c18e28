import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { regwarden } from "../../../support/program.ts";

const manifest = join(import.meta.dirname, "../../../../package.json");

describe("the command line", () => {
  test.each([
    [[], "no command given"],
    [["frobnicate"], "unknown command frobnicate"],
    [["--frobnicate"], "unknown option --frobnicate"],
    [["scan"], "DIR is missing"],
    [["scan", ""], "DIR must not be empty"],
    [["scan", "a", "b"], "One DIR is expected, got a b."],
    [["scan", "a", "--frobnicate"], "Unknown option '--frobnicate'"],
    [["scan", "a", "--report"], "--report"],
    [["scan", "a", "--report="], "--report needs the path of a file."],
    [["scan", "a", "--json=yes"], "--json"],
    [["scan", "a", "--authoritative="], "--authoritative needs a name."],
    [["scan", "a", "--metrics="], "--metrics needs the path of a file."],
    [["probe", "a"], "probe takes no arguments"],
    [["probe", "--reg-pass", "x"], "Unknown option '--reg-pass'"],
    [["seed-sentinel"], "CONFIG is missing"],
    [["check-deployment", "a", "b"], "One CONFIG is expected"],
  ])("refuses %j with 2, says why, and how to get help", async (argv, reason) => {
    const { exitCode, stdout, stderr } = await regwarden(argv);
    expect(exitCode).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(reason);
    expect(stderr).toContain("--help");
  });

  test("prints all faults of the arguments at once", async () => {
    const { stderr } = await regwarden(["scan", "--report="]);
    expect(stderr).toContain("DIR is missing.");
    expect(stderr).toContain("--report needs the path of a file.");
  });

  test.each([
    [["--help"], "Usage: regwarden COMMAND"],
    [["-h"], "check-deployment"],
    [["scan", "--help"], "Usage: regwarden scan DIR"],
    [["scan", "a", "-h"], "Exit status:"],
    [["probe", "--help"], "Usage: regwarden probe"],
    [["seed-sentinel", "--help"], "Usage: regwarden seed-sentinel CONFIG"],
    [["check-deployment", "--help"], "Usage: regwarden check-deployment CONFIG"],
  ])("helps: %j", async (argv, text) => {
    const { exitCode, stdout, stderr } = await regwarden(argv);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(text);
  });

  test("knows its version", async () => {
    const { version } = JSON.parse(await readFile(manifest, "utf8"));
    expect(await regwarden(["--version"])).toEqual({
      exitCode: 0,
      stdout: `regwarden ${version}\n`,
      stderr: "",
    });
  });
});
