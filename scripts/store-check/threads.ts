import { once } from "node:events";
import { availableParallelism } from "node:os";
import { parentPort, Worker } from "node:worker_threads";
import { systemCode } from "../cli/errors.ts";
import { threadOutOfMemory } from "./memory.ts";

/** Threads of one kind of work: what they are asked, and what they answer. */
export interface Threads<Task, Answer> {
  readonly count: number;
  /** Errors: E_OUT_OF_MEMORY, or what else ended the thread, whether it reports an error or just ends. */
  readonly ask: (thread: number, task: Task) => Promise<Answer>;
  readonly stop: () => Promise<void>;
}

/** More do not help: the kernel's locks, or the disk, are the limit then. */
const threadLimit = 4;

/** Room for new objects; little, so that they are collected soon. */
const maxYoungGenerationSizeMb = 24;

/** As many threads as there are processors; 0 on a machine with one, where they would not be worth their start. */
export function usefulThreads(): number {
  const count = Math.min(availableParallelism(), threadLimit);
  return count < 2 ? 0 : count;
}

/**
 * Starts threads that load a file with what they work on from their start to their end. `heapBytes`: what the objects of
 * one thread may take.
 */
export function startThreads<Task, Answer>(
  filename: string,
  workerData: unknown,
  { threads, heapBytes }: { readonly threads: number; readonly heapBytes: number },
): Threads<Task, Answer> {
  const resourceLimits = { maxYoungGenerationSizeMb, maxOldGenerationSizeMb: Math.floor(heapBytes / 1e6) };
  const workers = Array.from({ length: threads }, () => new Worker(filename, { workerData, resourceLimits }));
  return {
    count: threads,
    ask: async (thread, task) => {
      const worker = workers[thread];
      if (!worker) throw new Error(`there is no thread ${thread}`);
      return (await ask(worker, task)) as Answer;
    },
    stop: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** Gives each thread the next of some items as soon as it is done with the one before. */
export async function shareOut<Item>(
  threads: Pick<Threads<unknown, unknown>, "count">,
  items: readonly Item[],
  work: (thread: number, item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  const workOf = async (thread: number) => {
    for (const item of waiting) await work(thread, item);
  };
  await Promise.all(Array.from({ length: threads.count }, (_, thread) => workOf(thread)));
}

/** Some items, a few at a time. */
export function chunksOf<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, chunk) => items.slice(chunk * size, (chunk + 1) * size));
}

/** The work of a thread: one task after the other. */
export function serveTasks<Task, Answer>(perform: (task: Task) => Promise<Answer>): void {
  parentPort?.on("message", async (task: Task) => {
    parentPort?.postMessage(await perform(task));
  });
}

async function ask(worker: Worker, task: unknown): Promise<unknown> {
  const over = new AbortController();
  const answered = once(worker, "message", { signal: over.signal });
  const end = () => over.abort();
  worker.once("exit", end);
  worker.postMessage(task);
  try {
    const [answer] = (await answered) as [unknown];
    return answer;
  } catch (cause) {
    if (systemCode(cause) === "ERR_WORKER_OUT_OF_MEMORY") throw threadOutOfMemory(cause);
    throw new Error("a thread of the scan ended before its work did", { cause });
  } finally {
    worker.off("exit", end);
  }
}
