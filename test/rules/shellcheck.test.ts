import { spawnSync } from "node:child_process";
import { beforeAll, expect, test } from "vitest";
import { ensurePackages } from "../../lab/machine/packages.ts";
import { githubPipelines, gitlabPipelines } from "../support/ci-twins.ts";
import { adoptionScripts } from "../support/former-vm/scripts.ts";
import { loadWorkflow, workflowNames } from "../support/woodpecker.ts";

beforeAll(async () => {
  await ensurePackages({}, ["shellcheck"]);
}, 600_000);

const twins = [...Object.entries(githubPipelines()), ...Object.entries(gitlabPipelines())].flatMap(
  ([name, steps]) =>
    steps.map(
      ({ commands }, at) => [`${name}, twin, step ${at + 1}`, `set -e\n${commands.join("\n")}\n`] as const,
    ),
);
const ours = workflowNames.flatMap((name) =>
  loadWorkflow(name).steps.flatMap(({ name: step, commands }) =>
    commands === undefined ? [] : [[`${name}: ${step}`, `set -e\n${commands.join("\n")}\n`] as const],
  ),
);

test.each([...ours, ...twins, ...adoptionScripts])(
  "what %s is a script for sh and for bash, without a remark of shellcheck",
  (_name, input) => {
    for (const [file, ...args] of [
      ["sh", "-n"],
      ["bash", "-n"],
      ["shellcheck", "--shell=sh", "--severity=style", "-"],
    ] as const) {
      const { status, stdout, stderr } = spawnSync(file, args, { input, encoding: "utf8" });
      expect({ output: stdout + stderr, status }).toEqual({ output: "", status: 0 });
    }
  },
);
