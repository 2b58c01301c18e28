import { once } from "node:events";
import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { RegistryMode } from "../../contract/finding.ts";
import { systemCode } from "../cli/errors.ts";
import { type DiskSource, diskSource } from "../source/disk/registry.ts";
import type { Share } from "../source/source.ts";
import { checkRepository, memoizeManifests, type RepositoryCheck } from "./check-repository.ts";
import { blobsIn, type Inventory, joinInventories, listBlobs } from "./inventory.ts";
import { threadOutOfMemory } from "./memory.ts";

/**
 * Threads that read one store side by side. A store is tiny files, so the time goes into system calls, and one thread
 * makes them one after the other.
 */
export interface WorkerPool {
  readonly listBlobs: () => Promise<Inventory>;
  /** Checks repositories; `onCheck` gets each, in the order in which they end. */
  readonly checkRepositories: (
    names: readonly string[],
    inventory: Inventory,
    onCheck: (check: RepositoryCheck) => void,
  ) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** More do not help: the kernel's locks, or the disk, are the limit then. */
const threadLimit = 4;

/** Room for new objects; little, so that they are collected soon. */
const maxYoungGenerationSizeMb = 12;

/** Repositories that a thread is given at a time. */
const repositoriesAtATime = 16;

/** What a thread works on, from its start to its end. */
interface Assignment {
  readonly mark: typeof assignmentMark;
  readonly name: string;
  readonly dataDirectory: string;
  readonly mode: RegistryMode;
}

type Task =
  | { readonly task: "list"; readonly share: Share }
  | { readonly task: "know"; readonly inventory: Inventory }
  | { readonly task: "check"; readonly names: readonly string[] };

type Answer = Inventory | readonly RepositoryCheck[] | null;

const assignmentMark = "regwarden-scan-worker";

/** As many threads as there are processors; 0 on a machine with one, where they would not be worth their start. */
export function usefulThreads(): number {
  const count = Math.min(availableParallelism(), threadLimit);
  return count < 2 ? 0 : count;
}

/** `heapBytes`: what the objects of one thread may take. */
export function startWorkerPool(
  { name, dataDirectory }: DiskSource,
  mode: RegistryMode,
  { threads, heapBytes }: { readonly threads: number; readonly heapBytes: number },
): WorkerPool {
  const assignment: Assignment = { mark: assignmentMark, name, dataDirectory, mode };
  const resourceLimits = { maxYoungGenerationSizeMb, maxOldGenerationSizeMb: Math.floor(heapBytes / 1e6) };
  // In the bundle this very file is the whole program, which sees below that it runs as a thread.
  const start = () => new Worker(import.meta.filename, { workerData: assignment, resourceLimits });
  const workers = Array.from({ length: threads }, start);
  return {
    listBlobs: async () => {
      const list = (worker: Worker, index: number) =>
        ask(worker, { task: "list", share: { index, count: threads } });
      return joinInventories((await Promise.all(workers.map(list))) as Inventory[]);
    },
    checkRepositories: async (names, inventory, onCheck) => {
      const chunks = chunksOf(names).values();
      const work = async (worker: Worker) => {
        await ask(worker, { task: "know", inventory });
        for (const chunk of chunks)
          ((await ask(worker, { task: "check", names: chunk })) as RepositoryCheck[]).forEach(onCheck);
      };
      await Promise.all(workers.map(work));
    },
    stop: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

function chunksOf(names: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(names.length / repositoriesAtATime);
  return Array.from({ length: count }, (_, chunk) =>
    names.slice(chunk * repositoriesAtATime, (chunk + 1) * repositoriesAtATime),
  );
}

/** Errors: E_OUT_OF_MEMORY, or what else ended the thread, whether it reports an error or just ends. */
async function ask(worker: Worker, task: Task): Promise<Answer> {
  const over = new AbortController();
  const answered = once(worker, "message", { signal: over.signal });
  const end = () => over.abort();
  worker.once("exit", end);
  worker.postMessage(task);
  try {
    const [answer] = (await answered) as [Answer];
    return answer;
  } catch (cause) {
    if (systemCode(cause) === "ERR_WORKER_OUT_OF_MEMORY") throw threadOutOfMemory(cause);
    throw new Error("a thread of the scan ended before its work did", { cause });
  } finally {
    worker.off("exit", end);
  }
}

/** The work of a thread: one task after the other. */
function serve({ name, dataDirectory, mode }: Assignment): void {
  const source = diskSource(name, dataDirectory);
  const manifest = memoizeManifests(source);
  let blob: ReturnType<typeof blobsIn> = () => ({ state: "missing" });
  const perform = async (task: Task): Promise<Answer> => {
    if (task.task === "list") return listBlobs(source, () => {}, task.share);
    if (task.task === "know") {
      blob = blobsIn(task.inventory);
      return null;
    }
    const checks: RepositoryCheck[] = [];
    for (const repository of task.names)
      checks.push(await checkRepository(source, mode, repository, { manifest, blob }));
    return checks;
  };
  parentPort?.on("message", async (task: Task) => {
    parentPort?.postMessage(await perform(task));
  });
}

function isAssignment(data: unknown): data is Assignment {
  return typeof data === "object" && data !== null && "mark" in data && data.mark === assignmentMark;
}

if (!isMainThread && isAssignment(workerData)) serve(workerData);
