import { expect, test } from "vitest";
import { heapOfThread, memoryLimit, requireMemory } from "../../../../scripts/store-check/memory.ts";

const store = { registry: "private", blobs: 2_200_000, threads: 2 };

test("a scan of 2.2 million blobs begins within the 512 MB of the deployed unit", () => {
  expect(() => requireMemory(store, 512 * 1024 ** 2)).not.toThrow();
});

test("a scan that memory does not suffice for ends before it begins, with what it needs and has", () => {
  const giant = { ...store, blobs: 20_000_000 };
  expect(() => requireMemory(giant, 512 * 1024 ** 2)).toThrow(
    expect.objectContaining({
      code: "E_OUT_OF_MEMORY",
      exitCode: 3,
      message: expect.stringMatching(
        /registry private needs about 1080 MB for its 20,000,000 blobs, and may use 537 MB\. .*--memory 1080m/,
      ),
    }),
  );
});

test("the heaps of all threads together leave room for the blobs", () => {
  const limit = 512 * 1024 ** 2;
  expect(3 * heapOfThread(store, limit) + store.blobs * 46).toBeLessThanOrEqual(limit);
  expect(heapOfThread(store, 64 * 1024 ** 3)).toBe(1024e6);
});

test("this process may use some memory, and no more than the machine has", () => {
  expect(memoryLimit()).toBeGreaterThan(50e6);
  expect(memoryLimit()).toBeLessThan(1e15);
});
