import { expect, test } from "vitest";
import { createPace } from "../../../../scripts/source/pace.ts";

test("reading keeps to its pace, and time that was lost elsewhere counts", async () => {
  let now = 0;
  const waits: number[] = [];
  const sleep = async (milliseconds: number) => {
    waits.push(milliseconds);
    now += milliseconds;
  };
  const pace = createPace(1000, { now: () => now, sleep });
  await pace(1);
  expect(waits).toEqual([]);
  await pace(999);
  expect(waits).toEqual([1000]);
  now += 400;
  await pace(500);
  expect(waits).toEqual([1000, 100]);
});
