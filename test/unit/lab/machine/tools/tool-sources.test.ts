import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { installFrom, type ToolSource } from "../../../../../lab/machine/tools/tool.ts";
import { fromToolCache } from "../../../../../lab/machine/tools/tool-sources.ts";

let directory: string;
let target: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lab-tools-"));
  target = join(directory, "installed");
});
afterEach(() => rmSync(directory, { recursive: true }));

const accept = async () => undefined;

/** A source that puts its own name as the program, or says why not. */
function source(name: string, reason?: string): ToolSource {
  return {
    name,
    put: async (into) => {
      writeFileSync(join(into, "bin/tool"), name);
      return reason;
    },
  };
}

function installed(): string {
  return readFileSync(join(target, "bin/tool"), "utf8");
}

describe("the order of sources", () => {
  test("the first that has the program wins", async () => {
    const name = await installFrom(
      [source("one", "not there"), source("two"), source("three")],
      target,
      accept,
    );
    expect(name).toBe("two");
    expect(installed()).toBe("two");
  });

  test("a program that fails the check is not taken", async () => {
    const check = async (at: string) => {
      if (readFileSync(join(at, "bin/tool"), "utf8") === "one") throw new Error("version is 1.0.0");
    };
    expect(await installFrom([source("one"), source("two")], target, check)).toBe("two");
  });

  test("a source that throws is passed over like one that has nothing", async () => {
    const broken: ToolSource = {
      name: "broken",
      put: async () => {
        throw new Error("disk full");
      },
    };
    expect(await installFrom([broken, source("two")], target, accept)).toBe("two");
  });

  test("without any, the error has the reason of each and nothing is left", async () => {
    const sources = [source("one", "not there"), source("two", "no network")];
    const failure = installFrom(sources, target, accept);
    await expect(failure).rejects.toThrow(/one: not there\ntwo: no network/);
    expect(existsSync(target)).toBe(false);
    expect(existsSync(`${target}.new`)).toBe(false);
  });

  test("what a killed installation left behind is not taken for one", async () => {
    mkdirSync(join(`${target}.new`, "bin"), { recursive: true });
    writeFileSync(join(`${target}.new`, "bin/leftover"), "half");
    await installFrom([source("one")], target, accept);
    expect(existsSync(join(target, "bin/leftover"))).toBe(false);
  });
});

describe("the directory of compressed programs", () => {
  function pack(content: string, sum = createHash("sha256").update(content).digest("hex")): string {
    writeFileSync(join(directory, "tool.xz"), execFileSync("xz", ["-c"], { input: content }));
    writeFileSync(join(directory, "SHA256SUMS"), `${sum}  tool\n`);
    return directory;
  }

  test("gives a program whose checksum is right", async () => {
    await installFrom([fromToolCache("tool", pack("#!/bin/sh\n"))], target, accept);
    expect(installed()).toBe("#!/bin/sh\n");
  });

  test("gives none whose checksum is wrong", async () => {
    const failure = installFrom([fromToolCache("tool", pack("x", "0".repeat(64)))], target, accept);
    await expect(failure).rejects.toThrow(/checksum is [0-9a-f]{64}, expected 0{64}/);
  });

  test("gives none without a checksum", async () => {
    pack("x");
    writeFileSync(join(directory, "SHA256SUMS"), "");
    await expect(installFrom([fromToolCache("tool", directory)], target, accept)).rejects.toThrow(
      /does not name tool/,
    );
  });

  test("is passed over where it is absent", async () => {
    const absent = fromToolCache("tool", join(directory, "absent"));
    expect(await installFrom([absent, source("two")], target, accept)).toBe("two");
  });
});
