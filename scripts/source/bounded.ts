/**
 * Does `work` for each item, at most `limit` at a time, taking the next item only when a hand is free: a list of a
 * million never lies in memory.
 *
 * Errors: the first fault of `work` or of the list ends it.
 */
export async function forEachBounded<T>(
  items: AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  const hand = async () => {
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: limit }, hand));
}

/**
 * Like {@link forEachBounded}, but hands the results on as they come. Their order is that of the items.
 *
 * Errors: the first fault of `work` or of the list ends it.
 */
export async function* mapBounded<T, R>(
  items: AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const window: Promise<R>[] = [];
  for await (const item of items) {
    const task = work(item);
    // The fault is raised where the result is awaited; until then Node must not call it unhandled.
    task.catch(() => {});
    window.push(task);
    const oldest = window.length >= limit ? window.shift() : undefined;
    if (oldest) yield await oldest;
  }
  for (const task of window) yield await task;
}

/** What is at hand already, as a list that is waited for. */
export async function* stream<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

/** What is at hand at once, as all that lies on a disk, or comes later. */
export type Listing<T> = Iterable<T> | AsyncIterable<T>;

/** All items of a list, once they have come. */
export async function collect<T>(items: Listing<T>): Promise<readonly T[]> {
  // To wait for each of a million takes longer than to read it.
  if (Array.isArray(items)) return items;
  if (Symbol.iterator in items) return [...items];
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
