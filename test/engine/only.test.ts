import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SmallStack, smallStackNeeds } from "../support/small-stack.ts";

beforeAll(async () => {
  await smallStackNeeds();
});

let stack: SmallStack;
beforeEach(async () => {
  stack = new SmallStack("prod");
  stack.openGate();
  const { exitCode, output } = await stack.run("up", "--yes");
  expect(exitCode, output).toBe(0);
});

const hostDown = () => writeFileSync(join(stack.steps, "host-is-down"), "");
const hostUp = () => rmSync(join(stack.steps, "host-is-down"));

describe("while the host is down", () => {
  test("an update of all fails, and one of the cluster alone works", async () => {
    hostDown();
    expect((await stack.run("up", "--yes")).exitCode).toBe(1);
    writeFileSync(join(stack.steps, "watch"), "by hand");
    const { exitCode, output } = await stack.run("up", "--yes", "--only", "cluster");
    expect(exitCode, output).toBe(0);
    hostUp();
    const drift = await stack.run("drift");
    expect(drift.exitCode, drift.output).toBe(0);
  });

  test("an update of the host alone leaves the cluster as it is", async () => {
    writeFileSync(join(stack.steps, "watch"), "by hand");
    const { exitCode, output } = await stack.run("up", "--yes", "--only", "host");
    expect(exitCode, output).toBe(0);
    const drift = await stack.run("drift");
    expect(drift.output).toMatch(/update\s+Step\s+watch/);
  });

  test("a destroy fails and names what remains; one of the cluster alone works and names it too", async () => {
    hostDown();
    const all = await stack.run("destroy", "--yes");
    expect(all.exitCode, all.output).toBe(1);
    expect(all.output).toContain("Stack prod still holds:");
    expect(all.output).toMatch(/host: 3 \(.*Step held.*\)/);
    const one = await stack.run("destroy", "--yes", "--only", "cluster");
    expect(one.exitCode, one.output).toBe(0);
    expect(one.output).toMatch(/host: 3 \(.*Step held.*\)/);
    expect(one.output).not.toMatch(/cluster: \d/);
    expect(["first", "held", "last", "watch"].map((name) => stack.hasStep(name))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    hostUp();
    const rest = await stack.run("destroy", "--yes");
    expect(rest.exitCode, rest.output).toBe(0);
    expect(rest.output).not.toContain("still holds");
    expect(stack.hasStep("first")).toBe(false);
  });
});
