import { expect, test } from "vitest";
import { startTraffic } from "../../../../lab/incident/traffic.ts";

test("clients go on until they are stopped, and every failure is counted, also of one that throws", async () => {
  let turns = 0;
  let enough = () => {};
  const reached = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const push = async (turn: number) => {
    turns += 1;
    if (turns > 20) enough();
    await new Promise((resume) => setImmediate(resume));
    if (turn === 3) throw new Error("is broken");
    return { worked: turn !== 5, text: turn === 5 ? "is refused" : "" };
  };
  const pull = async () => {
    await new Promise((resume) => setImmediate(resume));
    return { worked: true, text: "" };
  };
  const traffic = startTraffic(push, pull);
  await reached;
  const { pushes, pulls } = await traffic.stop();
  expect(pushes).toEqual({ done: turns, failures: ["is broken", "is refused"] });
  expect(pulls.failures).toEqual([]);
  expect(pulls.done).toBeGreaterThan(0);
});
