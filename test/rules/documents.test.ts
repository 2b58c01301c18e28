import { spawnSync } from "node:child_process";
import { beforeAll, expect, test } from "vitest";
import { ensurePackages } from "../../lab/machine/packages.ts";
import { documents } from "../support/documents/markdown.ts";

beforeAll(async () => {
  await ensurePackages({}, ["shellcheck"]);
}, 600_000);

const shells = documents()
  .flatMap(({ blocks }) => blocks)
  .filter(({ language }) => language === "sh");

test("the documents have shell blocks", () => {
  expect(shells.length).toBeGreaterThan(10);
});

test.each(shells.map((block) => [block.at, block] as const))(
  "the shell block at %s is a script for sh, without a remark of shellcheck, and says whether it is run",
  (_, { text, treatment }) => {
    expect(treatment, "the comment above it is neither `not run: REASON` nor `run ...`").toBeDefined();
    const { status, stdout, stderr } = spawnSync("shellcheck", ["--shell=sh", "--severity=style", "-"], {
      // A block is part of a document: it stops where a command of it fails.
      input: `set -e\n${text}`,
      encoding: "utf8",
    });
    expect({ output: stdout + stderr, status }).toEqual({ output: "", status: 0 });
  },
);
