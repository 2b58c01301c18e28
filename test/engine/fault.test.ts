import { beforeAll, expect, test } from "vitest";
import { SmallStack, smallStackNeeds } from "../support/small-stack.ts";

beforeAll(async () => {
  await smallStackNeeds();
});

const fault = "The configuration has 2 faults:\n  one\n  another of them";

test("a fault that ends the program is said once, and what it had not come to stays", async () => {
  const stack = new SmallStack("prod");
  stack.openGate();
  await stack.run("up", "--yes");
  const steps = ["first", "held", "last", "watch"];
  for (const [operation, ...args] of [["preview"], ["drift"], ["up", "--yes"]] as const) {
    const { exitCode, output } = await stack.start(operation, args, { SMALL_FAULT: fault }).end;
    expect(exitCode, output).toBe(1);
    expect(output.match(/another of them/g), output).toHaveLength(1);
    expect(output).not.toMatch(/delet/i);
    expect(steps.filter((step) => !stack.hasStep(step))).toEqual([]);
  }
  const after = await stack.run("drift");
  expect(after.exitCode, after.output).toBe(0);
});
