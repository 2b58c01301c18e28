import { describe, expect, test } from "vitest";
import { forEachBounded, mapBounded } from "../../../../scripts/source/bounded.ts";

async function* count(to: number): AsyncGenerator<number> {
  for (let n = 0; n < to; n += 1) yield n;
}

/** Work that ends some turns later, and what it saw. */
function observedWork() {
  let running = 0;
  const seen = { most: 0, items: [] as number[] };
  const work = async (item: number) => {
    running += 1;
    seen.most = Math.max(seen.most, running);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    running -= 1;
    seen.items.push(item);
    return item * 2;
  };
  return { seen, work };
}

describe("bounded work", () => {
  test("does every item once, never more than the limit at a time", async () => {
    const { seen, work } = observedWork();
    await forEachBounded(count(100), 4, async (item) => void (await work(item)));
    expect(seen.items.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect(seen.most).toBe(4);
  });

  test("hands results on in the order of the items", async () => {
    const { seen, work } = observedWork();
    const results: number[] = [];
    for await (const result of mapBounded(count(50), 4, work)) results.push(result);
    expect(results).toEqual(Array.from({ length: 50 }, (_, n) => n * 2));
    expect(seen.most).toBeLessThanOrEqual(4);
  });

  test("ends with the first fault", async () => {
    const fail = async () => {
      throw new Error("broken");
    };
    await expect(forEachBounded(count(3), 2, fail)).rejects.toThrow("broken");
    await expect(mapBounded(count(3), 2, fail).next()).rejects.toThrow("broken");
  });
});
