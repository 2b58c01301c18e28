import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { SmallStack, smallStackNeeds } from "../support/small-stack.ts";

beforeAll(async () => {
  await smallStackNeeds();
});

const reading = ["preview", "drift"] as const;

/** Names of the files beside the program: a stack's configuration would be one. */
const besideProgram = ({ project }: SmallStack) => readdirSync(project).sort();

describe("a run that only reads", () => {
  test.each(reading)("%s of a backend that is empty leaves it empty", async (operation) => {
    const stack = new SmallStack("prod");
    const { exitCode, output } = await stack.run(operation);
    expect(exitCode, output).toBe(1);
    expect(output).toContain("There is no stack prod in the backend");
    expect(stack.contents()).toEqual({});
  });

  test("with a name that no stack has names the stacks there are, and makes none", async () => {
    const stack = new SmallStack("prod");
    stack.openGate();
    const made = await stack.run("up", "--yes");
    expect(made.exitCode, made.output).toBe(0);
    const [before, files] = [stack.contents(), besideProgram(stack)];
    for (const operation of [...reading, "destroy"]) {
      const { exitCode, output } = await stack.run(
        operation,
        "--stack",
        "prdo",
        ...(operation === "destroy" ? ["--yes"] : []),
      );
      expect(exitCode, output).toBe(1);
      expect(output).toContain("There is no stack prdo");
      expect(output).toMatch(/It has (organization\/small\/)?prod\./);
    }
    expect(stack.contents()).toEqual(before);
    expect(besideProgram(stack)).toEqual(files);
  });

  test("writes nothing to the backend, whether or not something differs", async () => {
    const stack = new SmallStack("prod");
    stack.openGate();
    await stack.run("up", "--yes");
    const before = stack.contents();
    expect((await stack.run("preview")).exitCode).toBe(0);
    expect((await stack.run("drift")).exitCode).toBe(0);
    writeFileSync(join(stack.steps, "first"), "by hand");
    const drift = await stack.run("drift");
    expect(drift.exitCode, drift.output).toBe(7);
    expect((await stack.run("preview")).exitCode).toBe(0);
    expect(stack.contents()).toEqual(before);
  });

  test("works while another run has the lock", async () => {
    const stack = new SmallStack("prod");
    stack.openGate();
    await stack.run("up", "--yes");
    const locks = join(stack.backend, ".pulumi/locks/organization/small/prod");
    mkdirSync(locks, { recursive: true });
    const lock = { pid: 1, username: "ci", hostname: "another", timestamp: "2026-11-21T05:00:00Z" };
    writeFileSync(join(locks, "of-another.json"), JSON.stringify(lock));
    for (const operation of reading) {
      const { exitCode, output } = await stack.run(operation);
      expect(exitCode, output).toBe(0);
    }
    expect((await stack.run("up", "--yes", "--lock-wait", "0s")).exitCode).toBe(1);
  });

  test("cannot read a state beside which a killed update left an empty note, and leaves the note to the next up", async () => {
    const stack = new SmallStack("prod");
    stack.openGate();
    await stack.run("up", "--yes");
    const note = join(stack.backend, ".pulumi/stacks/small/prod.json.attrs");
    writeFileSync(note, "");
    const before = stack.contents();
    for (const operation of reading) {
      const { exitCode, output } = await stack.run(operation);
      expect(exitCode, output).toBe(1);
      expect(output).toContain("The state is complete: `npm run up -- --stack prod` removes the note.");
    }
    expect(stack.contents()).toEqual(before);
    const repaired = await stack.run("up", "--yes");
    expect(repaired.exitCode, repaired.output).toBe(0);
    expect(repaired.output).toContain(`removed ${note}`);
    const drift = await stack.run("drift");
    expect(drift.exitCode, drift.output).toBe(0);
  });
});

test("no run leaves the temporary files of a plugin behind", async () => {
  const stack = new SmallStack("prod");
  stack.openGate();
  for (const [operation, ...args] of [
    ["up", "--yes"],
    ["preview"],
    ["drift"],
    ["destroy", "--yes"],
  ] as const) {
    const { exitCode, output } = await stack.run(operation, ...args);
    expect(exitCode, output).toBe(0);
    expect(readdirSync(stack.temporary)).toEqual([]);
  }
});
